"""scripts/bench --profile: where the daemon spends its time during some of the work of --peers.

The daemon records itself with JDK Flight Recorder, which samples threads that run Java code every
10 ms. Time in the kernel is not in these samples. Threads that are in native code, which is mostly a
system call, are sampled apart, and there waiting looks like working.
"""

import collections
import glob
import os
import re
import shutil
import subprocess
import tempfile

import bench_mounts
import bench_peers
from bench_common import BenchError, headline, java_home, markdown, write_json

METHODS = 20
OWN = "io.cowfs."
SAMPLES = {"jdk.ExecutionSample": "java", "jdk.NativeMethodSample": "native"}


class Profile:
    """How often a method was the innermost one, and the innermost one of cowfs itself."""

    def __init__(self):
        self.samples = collections.Counter()  # by kind of sample
        self.innermost = collections.Counter()
        self.own = {kind: collections.Counter() for kind in SAMPLES.values()}

    def add(self, kind, frames):
        self.samples[kind] += 1
        if kind == "java" and frames:
            self.innermost[frames[0]] += 1
        own = next((frame for frame in frames if frame.startswith(OWN)), None)
        if own:
            self.own[kind][own] += 1

    def read(self, tool, path):
        """Adds the samples of a recording."""
        command = [tool, "print", "--events", ",".join(SAMPLES), "--stack-depth", "64", path]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
            kind = frames = None
            for line in process.stdout:
                text = line.strip()
                if text.endswith("{") and text[:-1].strip() in SAMPLES:
                    kind, frames = SAMPLES[text[:-1].strip()], None
                elif text == "stackTrace = [":
                    frames = []
                elif text == "]" and frames is not None:
                    self.add(kind, frames)
                    frames = None
                elif frames is not None and (match := re.match(r"[^\s(]+(?=\()", text)):
                    frames.append(match.group())
        if process.returncode != 0:
            raise BenchError(f"jfr print {path}: exit {process.returncode}")


def main(options):
    tool = os.path.join(java_home(), "bin", "jfr")
    if not os.path.exists(tool):
        raise BenchError(f"{tool} is not there: a whole JDK is needed")
    bench = bench_peers.bench_of(options)
    recordings = tempfile.mkdtemp(prefix="cowfs-profile-")
    try:
        paths, profile = record(bench, options, recordings, tool)
    except BaseException:
        shutil.rmtree(recordings)
        raise
    report(profile, options)
    print(f"\nThe recordings, {len(paths)} in all, one for each life of the daemon, lie in {recordings}")


def record(bench, options, recordings, tool):
    bench.places = [bench_peers.Peer(
        bench_mounts.Cowfs, bench.directory, bench.room, options,
        flags=f"-XX:StartFlightRecording=settings=profile,dumponexit=true,filename={recordings}")]
    bench.measure(options.rounds, {name: bench_peers.WORK[name] for name in options.work})
    profile = Profile()
    paths = sorted(glob.glob(os.path.join(recordings, "*.jfr")))
    for path in paths:
        profile.read(tool, path)
    return paths, profile


def report(profile, options):
    print(headline(options, "profile of {} of " + ", ".join(options.work)))
    for title, kind, counts in (
            ("Java code, by the innermost method", "java", profile.innermost),
            ("Java code, by the innermost method of cowfs", "java", profile.own["java"]),
            ("Native code, waiting included, by the innermost method of cowfs", "native",
             profile.own["native"])):
        rows = [[name, str(count), f"{100 * count / profile.samples[kind]:.1f}"]
                for name, count in counts.most_common(METHODS)]
        print(f"\n{title}; {profile.samples[kind]} samples\n")
        print(markdown(["method", "samples", "%"], rows, "|---|---:|---:|"))
    if options.json:
        write_json(options.json, {"samples": profile.samples, "innermost": profile.innermost,
                                  "own": profile.own})
