"""scripts/bench --peers: cowfs beside what it would be used instead of.

It sets up, in the directory given and in the same run, cowfs and each of its peers that this machine
can have: the directory itself, Btrfs and XFS each in a sparse file on a loop device, zfs-fuse with a
pool in such a file, and fuse-overlayfs and bindfs over directories. All are mounted with their
defaults. A peer that cannot be had is left out with one line; so is work that a peer cannot do.

Each work gets a fresh file system of each kind, and only one is there at a time. "Cold" means
unmounted, the kernel's caches dropped, and mounted again, or for the directory of the host, the caches
dropped.
"""

import contextlib
import os
import random
import shutil
import statistics
import time

import bench_chart
import bench_mounts
import bench_work
from bench_common import (KIB, MIB, BenchError, drop_caches, headline, install_missing, markdown,
                          plural, run, seconds, table, write_json)
from bench_work import (COPY_TREE, CREATE, FSYNC, OVERWRITE, RANDOM_READ, READ_AFTER_OVERWRITE,
                        READ_FILES, REMOVE_TREE, SEQUENTIAL_READ_COLD, SEQUENTIAL_READ_WARM,
                        SEQUENTIAL_WRITE, SQLITE, STAT_COLD, STAT_WARM, Bench, Place, file_system_of)

PEERS = {kind.title: kind for kind in (
    bench_mounts.Cowfs, bench_mounts.Host, bench_mounts.Btrfs, bench_mounts.Xfs, bench_mounts.ZfsFuse,
    bench_mounts.FuseOverlayfs, bench_mounts.Bindfs)}
COWFS, HOST, BTRFS, _, ZFS, OVERLAY, _ = PEERS

SYNC_SECONDS = 5
WARM_UP_DIRECTORIES = 5
TEXT_WRITE = "text: sequential write + fsync"
TEXT_READ = "text: sequential read, cold"
AMPLIFICATION_SEQUENTIAL = "bytes to the device per byte, sequential write"
AMPLIFICATION_OVERWRITE = f"bytes to the device per byte, random overwrite, fsync every {SYNC_SECONDS} s"
AMPLIFICATION_FSYNC = "bytes to the device per byte, 4 KiB + fsync"
PEAK_MEMORY = "peak resident memory of the daemon"

LINES = (SEQUENTIAL_WRITE, SEQUENTIAL_READ_COLD, SEQUENTIAL_READ_WARM, *RANDOM_READ.values(), OVERWRITE,
         READ_AFTER_OVERWRITE, *FSYNC.values(), *SQLITE.values(), CREATE, STAT_COLD, STAT_WARM,
         READ_FILES, COPY_TREE, REMOVE_TREE)
FULL_SQLITE = tuple(name for (_, synchronous), name in SQLITE.items() if synchronous == "FULL")


class Peer(Place):
    """A file system that is made anew for each work."""

    def __init__(self, kind, directory, image_bytes, options, flags=None):
        self.kind = kind
        self.directory = directory
        self.title = kind.title
        self.optional = kind is not bench_mounts.Cowfs
        self.arguments = {}
        if kind is bench_mounts.Cowfs:
            self.arguments = {"options": options.cowfs_options, "flags": flags}
        elif kind in (bench_mounts.Btrfs, bench_mounts.Xfs, bench_mounts.ZfsFuse):
            self.arguments = {"image_bytes": image_bytes}
        self.image_bytes = image_bytes
        self.warm_up_seconds = options.warm_up
        self.file_system = None
        self.device = None
        self.peak_kib = 0

    def scratch_directory(self):
        return self.scratch_directory_in(self.directory)

    @contextlib.contextmanager
    def scratch_directory_in(self, parent):
        with bench_mounts.mounted(
                parent, lambda directory: self.kind(directory, **self.arguments)) as mounted:
            self.file_system = mounted
            self.root = mounted.root
            self.scratch = os.path.join(self.root, "scratch")
            os.mkdir(self.scratch)
            self.warm_up()
            yield
            self.note_peak()
        # What the host still holds back of it is not left to the next one.
        run(["sync", "-f", parent])

    @contextlib.contextmanager
    def counted_scratch_directory(self):
        """Upon a block device of its own, which counts what is written to it."""
        if issubclass(self.kind, bench_mounts.LoopFileSystem):
            with self.scratch_directory():
                self.device = self.file_system
                yield
            return
        with bench_mounts.mounted(self.directory, lambda directory: bench_mounts.Ext4(
                directory, self.image_bytes)) as self.device, \
                self.scratch_directory_in(self.device.root):
            yield

    def written_bytes(self):
        """What has been written to the device by now, all that was held back included."""
        self.file_system.settle()
        self.file_system.await_commit()
        self.device.settle()
        return self.device.written_bytes()

    def drop_own_caches(self):
        self.note_peak()
        with bench_mounts.uninterrupted():
            self.file_system.unmount()
            drop_caches()
            self.file_system.mount()
        self.warm_up()

    def warm_up(self):
        """Uses the mount for a while, so that a virtual machine below has compiled what it runs."""
        if not self.file_system.daemon_pid():
            return
        deadline = time.monotonic() + self.warm_up_seconds
        directory = os.path.join(self.root, "warm-up")
        while time.monotonic() < deadline:
            bench_work.create_files(directory, WARM_UP_DIRECTORIES, 100)
            large = os.path.join(directory, "large")
            with open(large, "xb", buffering=0) as file:
                for _ in range(16):
                    file.write(os.urandom(MIB))
                os.fsync(file.fileno())
                for _ in range(100):
                    os.pwrite(file.fileno(), bytes(4 * KIB), 4 * KIB * random.randrange(4096))
                    os.fsync(file.fileno())
            with open(large, "rb", buffering=0) as file:
                while file.read(MIB):
                    pass
            os.unlink(large)
            bench_work.read_files(directory, WARM_UP_DIRECTORIES * 100)
            shutil.rmtree(directory)

    def note_peak(self):
        pid = self.file_system.daemon_pid()
        if pid is not None:
            with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
                self.peak_kib = max([self.peak_kib] + [int(line.split()[1]) for line in status
                                                       if line.startswith("VmHWM:")])

    def end_round(self, bench):
        if self.peak_kib:
            bench.record(self, PEAK_MEMORY, self.peak_kib / KIB, "MiB")
        self.peak_kib = 0


# Text, which compresses.


def work_text(bench, place):
    path = place.path("text")
    data = source_text()
    size = bench.sizes.large_bytes

    def write():
        with open(path, "xb", buffering=0) as file:
            position = 0
            for _ in range(0, size, MIB):
                file.write(data[position:position + MIB])
                position = (position + MIB) % (len(data) - MIB)
            os.fsync(file.fileno())

    bench.record(place, TEXT_WRITE, size / MIB / seconds(write), "MiB/s")
    if bench.make_cold(place):
        read = bench.fio_mib_per_second("read", f"--filename={path}", f"--size={size}", "--bs=1M",
                                        "--rw=read")
        bench.record(place, TEXT_READ, read, "MiB/s")


def source_text():
    """The sources of this checkout, one after the other; some megabytes."""
    root = os.path.dirname(os.path.dirname(bench_mounts.COWFS))
    paths = sorted(os.path.join(directory, name)
                   for module in ("cowfs-core", "cowfs-fuse", "cowfs-tools")
                   for directory, _, names in os.walk(os.path.join(root, module, "src"))
                   for name in names if name.endswith(".java"))
    data = bytearray()
    for path in paths:
        with open(path, "rb") as file:
            data += file.read()
    if len(data) < 2 * MIB:
        raise BenchError(f"{root}: too few sources to measure with")
    return memoryview(data)


# What reaches the device.


def work_amplification(bench, place):
    file = [f"--filename={place.path('large')}", f"--size={bench.sizes.large_bytes}"]
    overwritten = bench.sizes.overwrite_bytes
    rate = overwritten // (SYNC_SECONDS * (2 if bench.sizes.quick else 4))
    for name, arguments in (
            (AMPLIFICATION_SEQUENTIAL, [*file, "--bs=1M", "--rw=write", "--end_fsync=1"]),
            (AMPLIFICATION_OVERWRITE,
             [*file, "--bs=4k", "--rw=randwrite", "--norandommap", f"--io_size={overwritten}",
              f"--rate={rate}", f"--fsync={SYNC_SECONDS * rate // (4 * KIB)}", "--end_fsync=1"]),
            (AMPLIFICATION_FSYNC,
             [f"--filename={place.path('small')}", "--size=64M", "--bs=4k", "--rw=write", "--fsync=1",
              f"--runtime={4 * bench.sizes.slice_seconds}"])):
        before = place.written_bytes()
        asked = bench.fio(*arguments)["write"]["io_bytes"]
        bench.record(place, name, (place.written_bytes() - before) / asked, "factor")


class PeerBench(Bench):
    """In one directory of the host, with so many bytes of room."""

    def __init__(self, options):
        super().__init__(options, [])
        self.directory = os.path.abspath(options.directories[0])
        # The large file, what overwriting leaves behind, and the rest.
        self.room = 2 * self.sizes.large_bytes + 2 * KIB * MIB

    def scratch_directory(self, place, function):
        if function is work_amplification:
            return place.counted_scratch_directory()
        return super().scratch_directory(place, function)


WORK = {
    "large": bench_work.work_large,
    "fsync": bench_work.work_fsync,
    "sqlite": bench_work.work_sqlite,
    "files": bench_work.work_files,
    "text": work_text,
    "amplification": work_amplification,
}


# What is to be reached.


class Goal:
    """A ratio to a peer, or a limit, with what it says of medians."""

    def __init__(self, line, wanted, reached, at_least=True):
        self.line = line
        self.wanted = wanted
        self.reached = reached  # None where something was not measured
        self.at_least = at_least

    @property
    def held(self):
        if self.reached is None:
            return None
        return self.reached >= self.wanted if self.at_least else self.reached <= self.wanted

    def cells(self):
        sign = ">=" if self.at_least else "<="
        reached = f"{self.reached:.2f}" if self.wanted < 100 else f"{self.reached:.0f}"
        return [self.line, f"{sign} {self.wanted}", reached, "held" if self.held else "short"]


def goals(median):
    """The goals of docs/PERFORMANCE.md. median: gives that of a figure by its name and peer, or None."""
    def ratio(peer, name, wanted):
        return Goal(f"{name}, against {peer}", wanted, divide(median(name, COWFS), median(name, peer)))

    for name in LINES:
        yield ratio(ZFS, name, 5 if name == OVERWRITE else 1.5)
    for name in LINES:
        yield ratio(OVERLAY, name, 1.0)
    for name in (SEQUENTIAL_WRITE, SEQUENTIAL_READ_COLD, OVERWRITE, *FSYNC.values(), *FULL_SQLITE,
                 RANDOM_READ[4]):
        yield ratio(BTRFS, name, 1.0)
    for name in (CREATE, COPY_TREE, REMOVE_TREE, STAT_COLD, READ_FILES):
        yield ratio(BTRFS, name, 0.5)
    for name in (STAT_WARM, SEQUENTIAL_READ_WARM):
        yield ratio(BTRFS, name, 0.9)
    for name, wanted in ((SEQUENTIAL_WRITE, 0.9), (SEQUENTIAL_READ_COLD, 0.6),
                         *((name, 0.55) for name in FSYNC.values()), (OVERWRITE, 0.4),
                         (TEXT_WRITE, 1.2), (TEXT_READ, 1.2)):
        yield ratio(HOST, name, wanted)
    yield Goal(f"{READ_AFTER_OVERWRITE}, against the same file before", 0.6,
               divide(median(READ_AFTER_OVERWRITE, COWFS), median(SEQUENTIAL_READ_COLD, COWFS)))
    for name, wanted in ((AMPLIFICATION_SEQUENTIAL, 1.05), (AMPLIFICATION_OVERWRITE, 2.5),
                         (AMPLIFICATION_FSYNC, 4)):
        yield Goal(name, wanted, median(name, COWFS), at_least=False)
    yield Goal(f"{PEAK_MEMORY}, MiB", 768, median(PEAK_MEMORY, COWFS), at_least=False)


def divide(value, by):
    return value / by if value is not None and by else None


# The run.


def main(options):
    bench = bench_of(options)
    for name in options.peers_only:
        peer = Peer(PEERS[name], bench.directory, bench.room, options)
        if can_be_had(bench, peer):
            bench.places.append(peer)
    bench.measure(options.rounds, {name: WORK[name] for name in options.work})
    report(bench, options)


def bench_of(options):
    """A bench without places yet, when everything is there that it takes."""
    if os.geteuid() != 0:
        raise BenchError("to mount file systems and to drop caches needs root")
    bench = PeerBench(options)
    if not os.path.isdir(bench.directory):
        raise BenchError(f"{options.directories[0]}: not a directory")
    space = os.statvfs(bench.directory)
    if space.f_bavail * space.f_frsize < bench.room:
        raise BenchError(f"{bench.directory}: needs {bench.room // MIB} MiB of room")
    install_missing({"fio": "fio"})
    run([bench_mounts.COWFS, "--version"])  # builds it, if need be
    return bench


def can_be_had(bench, peer):
    try:
        install_missing(peer.kind.packages)
        with peer.scratch_directory():
            pass
        peer.peak_kib = 0
        return True
    except (BenchError, OSError) as error:
        if not peer.optional:
            raise
        bench.skip(f"{peer.title}: {error}")
        return False


def report(bench, options):
    titles = [f"host {file_system_of(bench.directory)}" if place.title == HOST else place.title
              for place in bench.places]
    index = {place.title: number for number, place in enumerate(bench.places)}
    reached = list(goals(lambda name, peer: median_of(bench.figures, name, index.get(peer))))
    count = bench.sizes.directories * bench.sizes.files_per_directory
    print(headline(options))
    print(f"\nLarge files of {bench.sizes.large_bytes // MIB} MiB, "
          f"{bench.sizes.overwrite_bytes // MIB} MiB of random overwrites, {plural(count, 'small file')}")
    print()
    print(table(titles, bench.figures, ratios=False))
    print()
    measured = [goal for goal in reached if goal.reached is not None]
    held = sum(goal.held for goal in measured)
    print(markdown(["line", "wanted", "reached", ""], [goal.cells() for goal in measured],
                   "|---|---:|---:|---|"))
    print(f"\n{held} held, {len(measured) - held} short, {len(reached) - len(measured)} not measured")
    for line in bench.skipped:
        print(f"\nSkipped: {line}")
    if options.json:
        write_json(options.json, {
            "fileSystems": titles,
            "rounds": options.rounds,
            "quick": options.quick,
            "largeBytes": bench.sizes.large_bytes,
            "skipped": bench.skipped,
            "figures": [{"work": name, "unit": unit,
                         "values": {titles[i]: values[i] for i in sorted(values)}}
                        for name, (unit, values) in bench.figures.items()],
            "goals": [{"line": goal.line, "wanted": goal.wanted, "atLeast": goal.at_least,
                       "reached": goal.reached, "held": goal.held} for goal in reached],
        })
    if options.chart:
        base = index.get(HOST, 0)
        rows = [(name, [median_of(bench.figures, name, i) for i in range(len(titles))])
                for name in (*LINES, TEXT_WRITE, TEXT_READ) if name in bench.figures]
        bench_chart.write(options.chart, titles, base,
                          [(name, values, bench.figures[name][0]) for name, values in rows])


def median_of(figures, name, index):
    if name not in figures or not figures[name][1].get(index):
        return None
    return statistics.median(figures[name][1][index])
