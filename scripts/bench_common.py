"""What the modes of scripts/bench share: running programs, fio, the table of medians."""

import json
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import time

KIB = 1 << 10
MIB = 1 << 20
SMALLER_IS_BETTER = ("s", "ms", "KiB", "MiB", "factor")


class BenchError(Exception):
    """Ends the run with one line on standard error."""


def run(command, **options):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            check=False, **options)
    if result.returncode != 0:
        lines = (result.stderr or result.stdout).strip().splitlines() or ["no message"]
        raise BenchError(f"{shlex.join(command)}: exit {result.returncode}: {lines[-1]}")
    return result.stdout


def seconds(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def fio(seed, *arguments):
    """Runs one fio job group and returns its statistics."""
    command = ["fio", "--name=bench", "--ioengine=psync", "--thread", "--fallocate=none",
               "--invalidate=0", "--group_reporting", "--refill_buffers",
               "--buffer_compress_percentage=0", f"--randseed={seed}",
               "--output-format=json", *arguments]
    output = run(command)
    return json.loads(output[output.index("{"):])["jobs"][0]


def fio_mib_per_second(side):
    return side["io_bytes"] / MIB / (side["runtime"] / 1000)


def install_missing(packages):
    """Installs the packages, by the names of their programs, that are not there."""
    missing = [package for tool, package in packages.items() if shutil.which(tool) is None]
    if not missing:
        return
    names = " ".join(missing)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise BenchError(f"missing packages, please install: {names}")
    print(f"bench: installing {names}", file=sys.stderr)
    run(["apt-get", "-q", "update"])
    run(["apt-get", "-qy", "install", *missing],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def drop_caches():
    """Writes back what is dirty, and drops the kernel's caches. Needs root."""
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as control:
        control.write("3\n")


def java_home():
    """The JDK, as Maven finds it."""
    for line in run(["mvn", "--version"]).splitlines():
        if ", runtime: " in line:
            home = line.split(", runtime: ")[1].strip()
            return home.removesuffix("/jre")
    raise BenchError("mvn --version does not tell the virtual machine")


def plural(count, noun):
    return f"{count} {noun}" + ("" if count == 1 else "s")


def headline(options, figures="median of {}"):
    """What it was measured on; figures: what they are, of how many rounds."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    return (f"Linux {platform.release()}, {plural(os.cpu_count(), 'core')}, {memory:.0f} GiB memory, "
            + figures.format(plural(options.rounds, "round"))
            + (", quick sizes" if options.quick else ""))


def table(heads, figures, targets=None, ratios=True):
    """A Markdown table of medians.

    figures: name -> (unit, {index in heads: [value]}); what has no values gets a dash.
    targets: name -> text, for a last column, if given.
    ratios: with the speeds relative to the first of the heads.
    """
    columns = ["work", "unit"] + heads
    if ratios:
        columns += [f"{head} / {heads[0]}" for head in heads[1:]]
    if targets is not None:
        columns.append("target")
    rows = []
    for name, (unit, values) in figures.items():
        if not values:
            continue
        medians = [statistics.median(values[index]) if values.get(index) else None
                   for index in range(len(heads))]
        cells = [name, unit] + ["-" if median is None else rounded(median) for median in medians]
        if ratios:
            cells += [ratio_text(unit, median, medians[0]) for median in medians[1:]]
        if targets is not None:
            cells.append(targets.get(name, ""))
        rows.append(cells)
    return markdown(columns, rows, "|---|---|" + "---:|" * (len(columns) - 2))


def markdown(columns, rows, alignment):
    return "\n".join(["| " + " | ".join(columns) + " |", alignment]
                     + ["| " + " | ".join(cells) + " |" for cells in rows])


def write_json(path, document):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
        file.write("\n")


def ratio_text(unit, value, base):
    """The speed relative to the base; nothing to compare is a dash."""
    if not value or not base:
        return "-"
    return f"{base / value if unit in SMALLER_IS_BETTER else value / base:.2f}"


def rounded(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
