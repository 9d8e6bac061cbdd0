"""scripts/bench --scale: how the cost of single operations grows with the number of files, with the
size of a file and with the number of snapshots.

One pool grows for all numbers of files, and one for all numbers of snapshots. The files are made by a
program that uses the core of cowfs directly, without a mount; they are empty, in directories of 1,000.
Everything that is measured goes through a mount, one operation at a time.
"""

import collections
import os
import random
import statistics
import subprocess
import sys
import time

import bench_chart
import bench_micro
import bench_mounts
from bench_common import (KIB, MIB, BenchError, drop_caches, headline, java_home, markdown, rounded, run,
                          write_json)
from bench_mounts import COWFS

GIB = 1 << 30
BLOCK = 4 * KIB
FILES_OF_DIRECTORY = 1_000
MOUNTS = 3  # for each median
SNAPSHOTS = 20
MICROSECONDS, MILLISECONDS, MEMORY = "us", "ms", "MiB"


class Sizes:
    def __init__(self, options):
        quick = options.quick
        most = options.files or (10_000 if quick else 1_000_000)
        self.files = [10 ** power for power in range(3, 8) if 10 ** power <= most]
        self.operations = 100 if quick else 1_000
        self.file_bytes = [GIB, 4 * GIB] if quick else [GIB, 16 * GIB, 128 * GIB, 1024 * GIB]
        self.snapshots = [10, 100] if quick else [100, 1_000, 10_000]


class ScaleBench:
    """figures: work -> name of a figure -> (unit, {size: [value of a round]})."""

    def __init__(self, options, class_path):
        self.sizes = Sizes(options)
        self.directory = os.path.abspath(options.directories[0])
        self.class_path = class_path
        self.figures = collections.defaultdict(dict)
        self.random = random.Random(1000)

    def fresh(self):
        return bench_mounts.mounted(self.directory, bench_mounts.Cowfs)

    def record(self, work, size, name, unit, values):
        """The median of what was measured in this round."""
        _, sizes = self.figures[work].setdefault(name, (unit, {}))
        sizes.setdefault(size, []).append(statistics.median(values))

    def record_each(self, work, size, name, action, arguments):
        self.record(work, size, name, MICROSECONDS,
                    [microseconds(lambda a=argument: action(a)) for argument in arguments])

    def mount(self, work, size, peer):
        """Mounts several times, each time cold."""
        times, busy, resident = [], [], []
        for _ in range(MOUNTS):
            remount(peer, lambda: times.append(mount_milliseconds(peer)))
            busy.append(processor_milliseconds(peer))
            resident.append(peak_mib(peer))
        self.record(work, size, "mount", MILLISECONDS, times)
        self.record(work, size, "mount, processor time of the daemon", MILLISECONDS, busy)
        self.record(work, size, "peak memory, mounted", MEMORY, resident)

    def snapshots(self, work, size, peer):
        """Each is of another state: the commit of a small file is part of its cost."""
        directory = snapshot_directory(peer)
        names = [os.path.join(directory, f"timed-{i}") for i in range(SNAPSHOTS)]
        times = []
        for name in names:
            touch(peer.root, name)
            times.append(microseconds(lambda n=name: os.mkdir(n)))
        self.record(work, size, "snapshot", MICROSECONDS, times)
        self.record_each(work, size, "destroy a snapshot", os.rmdir, names)


def microseconds(action):
    start = time.perf_counter_ns()
    action()
    return (time.perf_counter_ns() - start) / 1000


def mount_milliseconds(peer):
    def action():
        peer.mount()
        os.listdir(os.path.join(peer.root, ".cowfs"))
    return microseconds(action) / 1000


def remount(peer, mount):
    peer.unmount()
    drop_caches()
    mount()


def processor_milliseconds(peer):
    """What the daemon has used so far; a busy machine has no part in it."""
    with open(f"/proc/{peer.daemon_pid()}/stat", encoding="ascii", errors="replace") as stat:
        user, system = stat.read().rpartition(")")[2].split()[11:13]
    return 1000 * (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def peak_mib(peer):
    with open(f"/proc/{peer.daemon_pid()}/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / KIB
    raise BenchError("no VmHWM of the daemon")


def snapshot_directory(peer):
    return os.path.join(peer.root, ".cowfs", "snapshot")


def touch(root, content):
    with open(os.path.join(root, "touched"), "w", encoding="utf-8") as file:
        file.write(content)


def write_block(path, offset=0):
    """Overwrites a block, durably."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(descriptor, os.urandom(BLOCK), offset)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def create(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))


# Numbers of files.


def work_files(bench):
    have = 0
    with bench.fresh() as peer:
        for count in bench.sizes.files:
            print(f"bench: {count} files", file=sys.stderr)
            peer.unmount()
            fill(bench, peer.pool, have, count)
            peer.mount()
            have = count
            time_files(bench, peer, count)


def fill(bench, pool, first, end):
    result = subprocess.run(
        [os.path.join(java_home(), "bin", "java"), "-Xmx1g", "-XX:MaxDirectMemorySize=600m",
         "--add-opens=java.base/java.nio=ALL-UNNAMED", "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
         "-cp", bench.class_path, "io.cowfs.core.pool.SyntheticTree", pool, str(first), str(end)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0:
        lines = result.stdout.strip().splitlines() or ["no message"]
        raise BenchError(f"the tree of {end} files: {lines[0]}")


def time_files(bench, peer, count):
    work = "files"
    bench.mount(work, count, peer)
    operations = min(count, bench.sizes.operations)
    chosen = bench.random.sample(range(count), operations)
    paths = [os.path.join(peer.root, f"d{number // FILES_OF_DIRECTORY}", f"f{number}")
             for number in chosen]
    bench.record_each(work, count, "lookup, cold", os.stat, paths)
    new = [f"{path}-{count}" for path in paths]
    bench.record_each(work, count, "create", create, new)
    for path in paths:
        write_block(path)
    peer.settle()
    bench.record_each(work, count, "overwrite 4 KiB and fdatasync", write_block, paths)
    peer.settle()
    bench.record(work, count, f"commit of {operations} overwritten files, for each", MICROSECONDS,
                 [commit_microseconds(peer, paths) for _ in range(MOUNTS)])
    bench.record_each(work, count, "unlink", os.unlink, new)
    bench.snapshots(work, count, peer)
    bench.record(work, count, "peak memory, after the work", MEMORY, [peak_mib(peer)])


def commit_microseconds(peer, paths):
    def action():
        for path in paths:
            with open(path, "r+b", buffering=0) as file:
                file.write(os.urandom(BLOCK))
        peer.settle()
    return microseconds(action) / len(paths)


# Sizes of a file.


def work_sizes(bench):
    for size in bench.sizes.file_bytes:
        print(f"bench: a file of {size // GIB} GiB", file=sys.stderr)
        with bench.fresh() as peer:
            time_size(bench, peer, size)


def time_size(bench, peer, size):
    """A file with a block in each MiB."""
    work = "sizes"
    path = os.path.join(peer.root, "sparse")
    data = os.urandom(BLOCK)
    with open(path, "xb", buffering=0) as file:
        file.truncate(size)
        for offset in range(0, size, MIB):
            os.pwrite(file.fileno(), data, offset)
    peer.settle()
    bench.mount(work, size, peer)
    chosen = [bench.random.randrange(size // BLOCK) * BLOCK for _ in range(bench.sizes.operations)]
    written = [offset // MIB * MIB for offset in chosen]
    descriptor = os.open(path, os.O_RDWR)
    try:
        bench.record_each(work, size, "read 4 KiB, cold",
                          lambda offset: os.pread(descriptor, BLOCK, offset), written)
        bench.record_each(work, size, "lseek HOLE",
                          lambda offset: os.lseek(descriptor, offset, os.SEEK_HOLE), written)
        bench.record_each(work, size, "lseek DATA",
                          lambda offset: os.lseek(descriptor, offset, os.SEEK_DATA),
                          [min(offset + BLOCK, size - MIB) for offset in written])
    finally:
        os.close(descriptor)
    bench.record_each(work, size, "write 4 KiB and fdatasync",
                      lambda offset: write_block(path, offset), chosen)
    peer.settle()
    bench.record(work, size, "truncate to a half", MICROSECONDS,
                 [microseconds(lambda: os.truncate(path, size // 2))])
    bench.record(work, size, "delete", MICROSECONDS, [microseconds(lambda: os.unlink(path))])
    bench.record(work, size, "sync after that", MILLISECONDS, [microseconds(peer.settle) / 1000])
    bench.record(work, size, "peak memory, after the work", MEMORY, [peak_mib(peer)])


# Numbers of snapshots.


def work_snapshots(bench):
    taken = 0
    with bench.fresh() as peer:
        for count in bench.sizes.snapshots:
            print(f"bench: {count} snapshots", file=sys.stderr)
            for number in range(taken, count):
                touch(peer.root, str(number))
                os.mkdir(os.path.join(snapshot_directory(peer), f"many-{number}"))
            taken = count
            time_snapshots(bench, peer, count)


def time_snapshots(bench, peer, count):
    work = "snapshots"
    bench.mount(work, count, peer)
    bench.snapshots(work, count, peer)
    directory = snapshot_directory(peer)
    bench.record(work, count, "list the snapshots, for each", MICROSECONDS,
                 [microseconds(lambda: os.listdir(directory)) / count for _ in range(MOUNTS)])
    bench.record(work, count, "command list", MILLISECONDS,
                 [microseconds(lambda: run([COWFS, "list", peer.pool])) / 1000 for _ in range(MOUNTS)])
    middle = [os.path.join(directory, f"many-{number}")
              for number in range(count // 2, count // 2 + SNAPSHOTS // 4)]
    bench.record_each(work, count, "destroy one in the middle", os.rmdir, middle)
    for path in middle:
        touch(peer.root, path)
        os.mkdir(path)
    bench.record(work, count, "peak memory, after the work", MEMORY, [peak_mib(peer)])


WORK = {
    "files": work_files,
    "sizes": work_sizes,
    "snapshots": work_snapshots,
}
AXES = {"files": "files", "sizes": "GiB of a sparse file", "snapshots": "snapshots"}


def main(options):
    if os.geteuid() != 0:
        raise BenchError("--scale needs root: it mounts anew and drops the kernel's caches")
    bench = ScaleBench(options, bench_micro.build() if "files" in options.work else None)
    for _ in range(options.rounds):
        for name in options.work:
            WORK[name](bench)
    report(bench, options)


def in_units(work, size):
    return size // GIB if work == "sizes" else size


def report(bench, options):
    print(headline(options))
    for work, figures in bench.figures.items():
        sizes = list(dict.fromkeys(size for _, values in figures.values() for size in values))
        rows = [[name, unit] + [rounded(statistics.median(values[size])) if size in values else "-"
                                for size in sizes]
                for name, (unit, values) in figures.items()]
        heads = [AXES[work], "unit"] + [f"{in_units(work, size):,}" for size in sizes]
        print()
        print(markdown(heads, rows, "|---|---|" + "---:|" * len(sizes)))
    if options.chart:
        bench_chart.write_growth(options.chart, [panel(bench, work) for work in bench.figures])
    if options.json:
        write_json(options.json, {
            "rounds": options.rounds,
            "quick": options.quick,
            "figures": [{"work": work, "name": name, "unit": unit,
                         "values": [{"size": in_units(work, size), "medians": values}
                                    for size, values in sizes.items()]}
                        for work, figures in bench.figures.items()
                        for name, (unit, sizes) in figures.items()],
        })


def panel(bench, work):
    """What the chart shows of a work: its times, all in microseconds."""
    factors = {MICROSECONDS: 1, MILLISECONDS: 1000}
    return AXES[work], [
        (name, [(in_units(work, size), statistics.median(values) * factors[unit])
                for size, values in sizes.items()])
        for name, (unit, sizes) in bench.figures[work].items() if unit in factors]
