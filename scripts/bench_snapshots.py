"""scripts/bench --snapshots: what snapshots, clones and rollbacks cost.

Each work gets a fresh file system of each kind: a cowfs pool in the directory given, mounted by
scripts/cowfs of this checkout, and a Btrfs in a sparse file there, mounted through a loop device.
Without root, loop devices or Btrfs in the kernel the peer is left out; where it is there, ratios are
the speed relative to it.

"command" is the time of the whole command, as a user waits for it; "less status" is that without
what `cowfs status` takes, which is started, finds the daemon and gets its answer as well; "in the
daemon" is what the daemon's log says, without the parsing of the command line there.
"""

import concurrent.futures
import contextlib
import json
import os
import random
import re
import statistics
import sys
import threading
import time

import bench_mounts
from bench_common import (KIB, MIB, BenchError, drop_caches, fio, fio_mib_per_second, headline,
                          install_missing, run, seconds, table, write_json)
from bench_mounts import COWFS

BLOCK = 4 * KIB
REPEAT = 5  # commands of a kind in a round
FREEING_SECONDS_MAX = 120


class Sizes:
    def __init__(self, quick):
        self.files = 2_000 if quick else 20_000
        self.file_bytes = (64 if quick else 1024) * MIB // self.files // BLOCK * BLOCK
        self.large = None if quick else (500_000, 20 * KIB * MIB)  # files, bytes of a sparse file
        self.fio_bytes = (64 if quick else 1024) * MIB
        self.fio_seconds = 4 if quick else 30
        self.changed_bytes = (64 if quick else 1024) * MIB
        self.changes = 20 if quick else 100
        self.clone_bytes = (16 if quick else 1024) * MIB
        self.clones = 10 if quick else 1000
        self.counts = (10, 30) if quick else (100, 1_000, 10_000)
        self.image_bytes = (4 if quick else 64) * KIB * MIB


class Cowfs(bench_mounts.Cowfs):
    """A pool, mounted. Commands are argument lists; None for what this version cannot do."""

    has_daemon = True
    verbs = None

    def make(self):
        super().make()
        if Cowfs.verbs is None:
            Cowfs.verbs = set(re.findall(r"^  (\w+) ", run([COWFS, "--help"]), re.MULTILINE))

    def command_snapshot(self, name):
        return [COWFS, "snapshot", f"{self.pool}@{name}"]

    def command_destroy(self, name):
        return [COWFS, "destroy", f"{self.pool}@{name}"]

    def command_rollback(self, name):
        return [COWFS, "rollback", f"{self.pool}@{name}"]

    def command_clone(self, name, clone):
        if "clone" not in self.verbs:
            return None
        return [COWFS, "clone", f"{self.pool}@{name}", f"{self.pool}/{clone}"]

    def command_destroy_clone(self, clone):
        return [COWFS, "destroy", f"{self.pool}/{clone}"]

    def command_list(self):
        return [COWFS, "list", self.pool]

    def command_scrub(self):
        return [COWFS, "scrub", self.pool]

    def command_nothing(self):
        return [COWFS, "status", self.pool]

    def take_many(self, first, end):
        """Snapshots many-N for N from first up to end, each of another state."""
        directory = os.path.join(self.root, ".cowfs", "snapshot")
        for number in range(first, end):
            touch(self.root, number)
            if os.path.isdir(directory):
                os.mkdir(os.path.join(directory, f"many-{number}"))
            else:
                run(self.command_snapshot(f"many-{number}"))

    def sync(self):
        run([COWFS, "sync", self.pool])

    def allocated_bytes(self, whole=False):
        """What the host has given to the pool's data, or to the whole pool, when it is at rest."""
        self.await_freed()
        self.unmount()
        try:
            if not whole:
                return os.stat(os.path.join(self.pool, "data")).st_blocks * 512
            return sum(os.lstat(os.path.join(directory, name)).st_blocks * 512
                       for directory, _, names in os.walk(self.pool) for name in names)
        finally:
            self.mount()

    def used_bytes(self):
        return self.status()["used"]

    def await_freed(self):
        """Until no more is waiting to be freed than each commit leaves behind.

        What a txg frees is reusable two txgs later, so there have to be some.
        """
        deadline = time.monotonic() + FREEING_SECONDS_MAX
        while True:
            for number in range(3):
                touch(self.root, number)
                self.sync()
            if self.status()["freeing"] < MIB:
                return
            if time.monotonic() > deadline:
                raise BenchError(f"{self.pool}: still freeing after {FREEING_SECONDS_MAX} s")

    def status(self):
        """Sizes of the status in bytes."""
        text = run([COWFS, "status", "-p", self.pool])
        return {key: int(value) for key, value in
                re.findall(r"^(used|freeing): +([0-9]+)$", text, re.MULTILINE)}

    def daemon_milliseconds(self):
        """A function that gives, by verb, the daemon's milliseconds since this call."""
        path = os.path.join(self.pool, "log", "cowfs.log")
        start = os.stat(path)

        def since():
            text = ""
            if os.stat(path).st_ino != start.st_ino:
                with open(path + ".1", encoding="utf-8") as rotated:
                    text += rotated.read()
            with open(path, encoding="utf-8") as log:
                text = (text + log.read())[start.st_size:]
            times = {}
            for verb, took in re.findall(
                    r" INFO command (\w+) took [0-9.]+ ms, ([0-9.]+) ms without its parsing$",
                    text, re.MULTILINE):
                times.setdefault(verb, []).append(float(took))
            return times
        return since


class Btrfs(bench_mounts.Btrfs):
    """A Btrfs in a file, with the live data in a subvolume."""

    has_daemon = False

    def __init__(self, directory, image_bytes):
        super().__init__(directory, image_bytes)
        self.mounted = self.root

    def mount(self):
        super().mount()
        self.root = self.path("live")
        run(["btrfs", "subvolume", "create", self.root])

    def path(self, name):
        return os.path.join(self.mounted, name)

    def unmount(self):
        self.root = self.mounted
        super().unmount()

    def command_snapshot(self, name):
        return ["btrfs", "subvolume", "snapshot", "-r", self.root, self.path(name)]

    def command_destroy(self, name):
        return ["btrfs", "subvolume", "delete", self.path(name)]

    def command_rollback(self, name):
        del name  # a mounted subvolume cannot be rolled back
        return None

    def command_clone(self, name, clone):
        return ["btrfs", "subvolume", "snapshot", self.path(name), self.path(clone)]

    def command_destroy_clone(self, clone):
        return self.command_destroy(clone)

    def command_list(self):
        return ["btrfs", "subvolume", "list", self.mounted]

    def command_nothing(self):
        return ["btrfs", "--version"]

    def take_many(self, first, end):
        for number in range(first, end):
            touch(self.root, number)
            run(self.command_snapshot(f"many-{number}"))

    def sync(self):
        run(["btrfs", "filesystem", "sync", self.mounted])

    def allocated_bytes(self, whole=False):
        del whole  # data and metadata are in one file
        self.await_freed()
        return self.used_bytes()

    def used_bytes(self):
        self.sync()
        space = os.statvfs(self.mounted)
        return (space.f_blocks - space.f_bfree) * space.f_frsize

    def await_freed(self):
        self.sync()  # wakes the cleaner, which else sleeps for half a minute
        run(["btrfs", "subvolume", "sync", self.mounted])
        self.sync()


class SnapshotBench:
    def __init__(self, options, kinds):
        self.sizes = Sizes(options.quick)
        self.directory = os.path.abspath(options.directories[0])
        self.kinds = kinds
        self.round = 0
        self.figures = {}  # name -> (unit, {kind index: [value]})
        self.targets = {}
        self.skipped = []

    def fresh(self, kind):
        return bench_mounts.mounted(
            self.directory,
            lambda directory: Cowfs(directory) if kind is Cowfs
            else Btrfs(directory, self.sizes.image_bytes))

    def record(self, peer, name, value, unit, target=None):
        """Without a value it only keeps a place in the table for those that have one."""
        _, values = self.figures.setdefault(name, (unit, {}))
        if value is not None:
            values.setdefault(self.kinds.index(type(peer)), []).append(value)
        if target:
            self.targets[name] = target

    def record_times(self, peer, name, times, inside, targets):
        """The median time of a command, and that of the daemon's part, if there is one."""
        command_target, daemon_target = targets
        self.record(peer, f"{name}, command", median(times), "ms", command_target)
        self.record(peer, f"{name}, in the daemon", median(inside), "ms", daemon_target)

    def skip(self, line):
        if line not in self.skipped:
            self.skipped.append(line)
            print(f"bench: skipped: {line}", file=sys.stderr)

    def random(self):
        return random.Random(1000 + self.round)


def touch(root, number):
    """Makes the next commit a commit of something."""
    with open(os.path.join(root, "touched"), "w", encoding="ascii") as file:
        file.write(f"{number}\n")


def median(values):
    return statistics.median(values) if values else None


def milliseconds(command):
    return 1000 * seconds(lambda: run(command))


# Whole commands.


def work_commands(bench, peer):
    make_files(peer.root, bench.sizes.files, bench.sizes.file_bytes)
    time_commands(bench, peer, f"{bench.sizes.files} files", "< 5")


def work_large(bench, peer):
    if bench.sizes.large is None:
        bench.skip("the large set, because of --quick")
        return
    count, sparse_bytes = bench.sizes.large
    make_files(peer.root, count, 0)
    with open(os.path.join(peer.root, "sparse"), "xb", buffering=0) as file:
        file.truncate(sparse_bytes)
        for offset in range(0, sparse_bytes, MIB):
            os.pwrite(file.fileno(), b"x", offset)
    time_commands(bench, peer, f"{count} files", "1.5 times the small set")


def make_files(root, count, file_bytes):
    """Files in directories of 1,000, made by several processes."""
    with concurrent.futures.ProcessPoolExecutor(4) as executor:
        jobs = [executor.submit(make_directory, root, first, min(1_000, count - first), file_bytes)
                for first in range(0, count, 1_000)]
        for job in jobs:
            job.result()


def make_directory(root, first, count, file_bytes):
    directory = os.path.join(root, f"directory-{first}")
    os.mkdir(directory)
    data = os.urandom(file_bytes)
    for number in range(first, first + count):
        path = os.path.join(directory, f"file-{number}")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        if file_bytes:
            os.write(descriptor, number.to_bytes(8, "little") + data[8:])
        os.close(descriptor)


def time_commands(bench, peer, subject, daemon):
    """Each command several times on a synced file system; daemon: the target inside it."""
    peer.sync()
    times = {}
    daemon_times = peer.daemon_milliseconds() if peer.has_daemon else dict

    def take(verb, command):
        if command is None:
            return
        touch(peer.root, len(times))
        peer.sync()
        times.setdefault(verb, []).append(milliseconds(command))

    for i in range(REPEAT):
        floor = milliseconds(peer.command_nothing())
        times.setdefault("status", []).append(floor)
        take("snapshot", peer.command_snapshot(f"timed-{i}"))
        clone = peer.command_clone(f"timed-{i}", f"clone-{i}")
        if clone is None:
            bench.skip("clone, which this cowfs does not have")
        take("clone", clone)
        take("list", peer.command_list())
        take("rollback", peer.command_rollback(f"timed-{i}"))
        if clone is not None:
            run(peer.command_destroy_clone(f"clone-{i}"))
        take("destroy", peer.command_destroy(f"timed-{i}"))
    inside = daemon_times()
    for verb in ("snapshot", "clone", "rollback", "list", "destroy"):
        name = f"{verb}, {subject}"
        daemon_target = daemon if verb in ("snapshot", "clone", "rollback") else None
        bench.record_times(peer, name, times.get(verb), inside.get(verb),
                           ("< 150", daemon_target))
        less = None
        if peer.has_daemon and verb in times:
            less = max(0.0, median(times[verb]) - median(times["status"]))
        bench.record(peer, f"{name}, less status", less, "ms")


# Snapshots under load.


def work_load(bench, peer):
    job = [f"--filename={os.path.join(peer.root, 'load')}", f"--size={bench.sizes.fio_bytes}"]
    fio(1000 + bench.round, *job, "--bs=1M", "--rw=write", "--end_fsync=1")

    def random_write():
        return fio_mib_per_second(fio(
            1000 + bench.round, *job, "--bs=4k", "--rw=randwrite", "--norandommap", "--time_based",
            f"--runtime={bench.sizes.fio_seconds}", "--end_fsync=1")["write"])

    random_write()  # the first pass tears the file apart, for the others
    rates = {}
    for snapshots in ((False, True) if bench.round % 2 == 0 else (True, False)):
        peer.sync()
        if snapshots:
            with snapshot_every_second(peer) as took:
                rates[True] = random_write()
            bench.record(peer, "snapshot under load, command", statistics.median(took), "ms")
        else:
            rates[False] = random_write()
    bench.record(peer, "random write 4 KiB", rates[False], "MiB/s")
    bench.record(peer, "random write 4 KiB, a snapshot every second", rates[True], "MiB/s")
    bench.record(peer, "share of the throughput that snapshots leave", rates[True] / rates[False],
                 "share", "> 0.9")


@contextlib.contextmanager
def snapshot_every_second(peer):
    """Gives a list that fills with the milliseconds that each took; empty only in the beginning."""
    took = []
    failures = []
    stop = threading.Event()

    def loop():
        start = time.monotonic()
        try:
            while not stop.is_set():
                took.append(milliseconds(peer.command_snapshot(f"load-{len(took)}")))
                stop.wait(max(0.0, start + len(took) - time.monotonic()))
        except BenchError as error:
            failures.append(error)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield took
    finally:
        stop.set()
        thread.join()
    if failures:
        raise failures[0]


# Many states that share most of their blocks.


def work_changes(bench, peer):
    sizes = bench.sizes
    blocks = sizes.changed_bytes // BLOCK
    chosen = blocks // 100
    source = bench.random()
    path = os.path.join(peer.root, "changing")
    with open(path, "xb", buffering=0) as file:
        for _ in range(0, sizes.changed_bytes, MIB):
            file.write(source.randbytes(MIB))
    run(peer.command_snapshot("change-0"))
    before = peer.allocated_bytes()
    changed = [set()]
    for change in range(1, sizes.changes + 1):
        changed.append(set(source.sample(range(blocks), chosen)))
        with open(path, "r+b", buffering=0) as file:
            for block in changed[-1]:
                os.pwrite(file.fileno(), source.randbytes(BLOCK), block * BLOCK)
        run(peer.command_snapshot(f"change-{change}"))
    subject = f"of {sizes.changes} snapshots, 1 % changed each"
    grown = peer.allocated_bytes() - before
    bench.record(peer, f"space {subject} / changed data",
                 grown / (sizes.changes * chosen * BLOCK), "factor", "<= 1.15")

    middle = sizes.changes // 2
    peer.await_freed()
    used = peer.used_bytes()
    name = f"destroy the middle one {subject}"
    bench.record(peer, f"{name}, command",
                 milliseconds(peer.command_destroy(f"change-{middle}")), "ms", "< 150")
    bench.record(peer, f"{name}, background", 1000 * seconds(peer.await_freed), "ms")
    bench.record(peer, f"{name}, freed", (used - peer.used_bytes()) / MIB, "MiB")
    # What was changed for it and again for the next one; the rest the next one has as well.
    bench.record(peer, f"{name}, data that only it had",
                 len(changed[middle] & changed[middle + 1]) * BLOCK / MIB, "MiB")


# Clones of an image.


def work_clones(bench, peer):
    sizes = bench.sizes
    if peer.command_clone("base", "clone") is None:
        bench.skip("clones of an image, for which this cowfs has no command")
        return
    source = bench.random()
    with open(os.path.join(peer.root, "image"), "xb", buffering=0) as file:
        for _ in range(0, sizes.clone_bytes, MIB):
            file.write(source.randbytes(MIB))
    run(peer.command_snapshot("base"))
    before = peer.allocated_bytes(whole=True)
    took = [milliseconds(peer.command_clone("base", f"clone-{i}")) for i in range(sizes.clones)]
    grown = peer.allocated_bytes(whole=True) - before
    subject = f"{sizes.clones} clones of {sizes.clone_bytes // MIB} MiB"
    bench.record(peer, f"{subject}, space of each", grown / sizes.clones / KIB, "KiB", "< 64")
    bench.record(peer, f"{subject}, command for the last ones", statistics.median(took[-REPEAT:]),
                 "ms", "< 150")


# A long history.


def work_many(bench, peer):
    touch(peer.root, 0)
    taken = 0
    for count in bench.sizes.counts:
        peer.take_many(taken, count)
        taken = count
        time_at_count(bench, peer, count)


def time_at_count(bench, peer, count):
    peer.sync()
    daemon_times = peer.daemon_milliseconds() if peer.has_daemon else dict
    times = {"snapshot": [], "list": [], "destroy": []}
    for i in range(REPEAT):
        name = f"extra-{count}-{i}"
        touch(peer.root, i)
        peer.sync()
        times["snapshot"].append(milliseconds(peer.command_snapshot(name)))
        times["list"].append(milliseconds(peer.command_list()))
        times["destroy"].append(milliseconds(peer.command_destroy(name)))
    inside = daemon_times()
    for verb, took in times.items():
        bench.record_times(peer, f"{verb} with {count} snapshots", took, inside.get(verb),
                           (None, None))


# A scrub, next to reading a file of the host.


def work_scrub(bench, peer):
    """What a scrub reads in a second of large files, and the host of one, both from the medium."""
    if not isinstance(peer, Cowfs) or "scrub" not in peer.verbs:
        return
    fio(2000 + bench.round, f"--directory={peer.root}", "--filename_format=large.$jobnum", "--numjobs=4",
        f"--size={bench.sizes.fio_bytes // 4}", "--bs=1M", "--rw=write", "--end_fsync=1")
    host = os.path.join(os.path.dirname(peer.pool), "host")
    file = [f"--filename={host}", f"--size={bench.sizes.fio_bytes}", "--bs=1M"]
    fio(2000 + bench.round, *file, "--rw=write", "--end_fsync=1")
    for advice in ("", ", past the cache"):
        drop_caches()
        direct = ["--direct=1"] if advice else []
        side = fio(2000 + bench.round, *file, "--rw=read", *direct)["read"]
        bench.record(peer, f"host: sequential read, cold{advice}", fio_mib_per_second(side),
                     "MiB/s")
    os.unlink(host)
    drop_caches()
    run([*peer.command_scrub(), "--wait"])
    result = json.loads(run([*peer.command_scrub(), "--status", "--json"]))
    if result["errors"] or result["readBytes"] < bench.sizes.fio_bytes:
        raise BenchError(f"the scrub found errors, or read too little: {result}")
    bench.record(peer, "scrub of large files, cold", result["bytesPerSecond"] / MIB, "MiB/s")


WORK = {
    "commands": work_commands,
    "large": work_large,
    "load": work_load,
    "changes": work_changes,
    "clones": work_clones,
    "many": work_many,
    "scrub": work_scrub,
}


def kinds_to_measure(directory):
    """Btrfs first, as what cowfs is compared with, where it can be had."""
    reason = why_no_btrfs(directory)
    if reason is None:
        return [Btrfs, Cowfs]
    print(f"bench: no Btrfs to compare with: {reason}", file=sys.stderr)
    return [Cowfs]


def why_no_btrfs(directory):
    if os.geteuid() != 0:
        return "not root"
    if not os.path.exists("/dev/loop-control"):
        return "no loop devices"
    try:
        install_missing(Btrfs.packages)
        with bench_mounts.mounted(directory, lambda below: Btrfs(below, 256 * MIB)):
            pass
    except BenchError as error:
        return str(error)
    return None


def main(options):
    install_missing({"fio": "fio"})
    if not os.path.isdir(options.directories[0]):
        raise BenchError(f"{options.directories[0]}: not a directory")
    bench = SnapshotBench(options, kinds_to_measure(options.directories[0]))
    for bench.round in range(options.rounds):
        order = bench.kinds if bench.round % 2 == 0 else bench.kinds[::-1]
        for name in options.work:
            for kind in order:
                print(f"bench: round {bench.round + 1} of {options.rounds}: {name} on "
                      f"{kind.title}", file=sys.stderr)
                with bench.fresh(kind) as peer:
                    WORK[name](bench, peer)
    report(bench, options)


def report(bench, options):
    titles = [kind.title for kind in bench.kinds]
    print(headline(options))
    print()
    print(table(titles, bench.figures, bench.targets))
    for line in bench.skipped:
        print(f"\nSkipped: {line}")
    if options.json:
        write_json(options.json, {
            "fileSystems": titles,
            "rounds": options.rounds,
            "quick": options.quick,
            "skipped": bench.skipped,
            "figures": [{"work": name, "unit": unit, "target": bench.targets.get(name),
                         "values": {titles[i]: values[i] for i in sorted(values)}}
                        for name, (unit, values) in bench.figures.items()],
        })
