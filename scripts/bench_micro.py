"""scripts/bench --micro: the JMH benchmarks of single parts, each in virtual machines of its own."""

import json
import math
import os
import subprocess
import sys
import tempfile

import bench_mounts
from bench_common import BenchError, headline, install_missing, java_home, markdown, write_json

WORK = {
    "checksum": "ChecksumBenchmark",
    "compression": "CompressionBenchmark",
    "tree": "TreeBenchmark",
    "allocator": "AllocatorBenchmark",
    "request": "RequestCodecBenchmark",
}
MODULES = ("cowfs-core", "cowfs-fuse")
ROOT = os.path.dirname(os.path.dirname(bench_mounts.COWFS))


def main(options):
    install_missing({"mvn": "maven"})
    class_path = build()
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        path = os.path.join(directory, "results")
        measure(options, class_path, path)
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
    rows = [[name_of(result), parameters_of(result), f"{metric['score']:.4g}",
             error_of(metric), metric["scoreUnit"]]
            for result in results for metric in (result["primaryMetric"],)]
    print(headline(options, "mean of {}"))
    print()
    print(markdown(["benchmark", "parameters", "mean", "±", "unit"], rows, "|---|---|---:|---:|---|"))
    if options.json:
        write_json(options.json, results)


def build():
    """Compiles the benchmarks; what to run them with."""
    print("bench: compiling", file=sys.stderr)
    result = subprocess.run(
        ["mvn", "-q", "-B", "-Dstyle.color=never", "-pl", ",".join(MODULES), "-am", "test-compile",
         "dependency:build-classpath", "-Dmdep.outputFile=target/class-path"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0:
        errors = [line for line in result.stdout.splitlines() if line.startswith("[ERROR]")]
        raise BenchError("the build failed: " + (errors[0] if errors else "no message"))
    parts = []
    for module in MODULES:
        target = os.path.join(ROOT, module, "target")
        parts += [os.path.join(target, "test-classes"), os.path.join(target, "classes")]
        with open(os.path.join(target, "class-path"), encoding="utf-8") as file:
            parts += file.read().strip().split(":")
    return ":".join(dict.fromkeys(parts))


def measure(options, class_path, path):
    chosen = "|".join(rf"\.{WORK[name]}\." for name in options.work)
    command = [os.path.join(java_home(), "bin", "java"), "-cp", class_path, "org.openjdk.jmh.Main",
               chosen, "-f", str(options.rounds), "-rf", "json", "-rff", path]
    if options.quick:
        command += ["-wi", "1", "-w", "200ms", "-i", "2", "-r", "200ms"]
    result = subprocess.run(command, stdout=sys.stderr, check=False)
    if result.returncode != 0 or not os.path.exists(path):
        raise BenchError(f"JMH: exit {result.returncode}")


def name_of(result):
    return ".".join(result["benchmark"].split(".")[-2:]).replace("Benchmark.", ".")


def parameters_of(result):
    return ", ".join(f"{key}={value}" for key, value in result.get("params", {}).items())


def error_of(metric):
    """Half of the interval of 99.9 %; with few values JMH knows none."""
    error = float(metric["scoreError"])
    return "-" if math.isnan(error) else f"{error:.2g}"
