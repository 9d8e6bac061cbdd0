"""The work that scripts/bench measures in directories, and what a run of it consists of."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

from bench_common import (KIB, MIB, BenchError, drop_caches, fio, fio_mib_per_second, plural, run,
                          seconds)

SLICE_SECONDS = 5  # work that could go on for ever (fsync, random reads, inserts) ends after this

SEQUENTIAL_WRITE = "sequential write + fsync"
SEQUENTIAL_READ_COLD = "sequential read, cold"
SEQUENTIAL_READ_WARM = "sequential read, warm"
RANDOM_READ = {jobs: f"random read 4 KiB, cold, {plural(jobs, 'job')}" for jobs in (1, 4)}
OVERWRITE = "random overwrite 4 KiB + fsync"
READ_AFTER_OVERWRITE = "sequential read after it, cold"
FSYNC = {jobs: f"write 4 KiB + fsync, {plural(jobs, 'job')}" for jobs in (1, 8)}
SQLITE = {mode: "SQLite insert, {}, synchronous={}".format(*mode)
          for mode in (("DELETE", "FULL"), ("WAL", "FULL"), ("WAL", "NORMAL"))}
CREATE = "create files of 4 KiB"
STAT_COLD = "stat, cold"
STAT_WARM = "stat, warm"
READ_FILES = "read files of 4 KiB, cold"
COPY_TREE = "cp -r"
REMOVE_TREE = "rm -rf"


class Sizes:
    """quick: much smaller; large_mib: the size of large files, else the default for quick or not."""

    def __init__(self, quick, large_mib=None):
        self.quick = quick
        self.large_bytes = (large_mib or (64 if quick else 1024)) * MIB
        self.overwrite_bytes = self.large_bytes // 8
        self.directories = 20 if quick else 200
        self.files_per_directory = 100
        self.entries = 20_000 if quick else 1_000_000
        self.inserts = 200 if quick else 4000
        self.slice_seconds = 1 if quick else SLICE_SECONDS
        self.git_files = 200 if quick else 3000
        self.git_commits = 5 if quick else 30


class Place:
    """What is under test, and the scratch directory within it."""

    title = None
    root = None
    scratch = None
    optional = False  # whether work that it cannot do is left out, with a line

    def scratch_directory(self):
        """A context in which the scratch directory is there, and empty at first."""
        raise NotImplementedError

    def path(self, *names):
        return os.path.join(self.scratch, *names)

    def sync(self):
        """sync(2) does not reach every FUSE mount, syncfs(2) does."""
        run(["sync", "-f", self.root])

    def drop_own_caches(self):
        """Empties the caches that the kernel cannot, of a file system in user space."""

    def end_round(self, bench):
        """Records what is known at the end of a round only."""


class Directory(Place):
    """A directory that the user gives, with the command that empties its file system's caches."""

    def __init__(self, directory, before_cold):
        self.root = os.path.abspath(directory)
        if not os.path.isdir(self.root):
            raise BenchError(f"{directory}: not a directory")
        self.before_cold = before_cold
        self.title = file_system_of(self.root)

    @contextlib.contextmanager
    def scratch_directory(self):
        self.scratch = os.path.join(self.root, f".bench-{os.getpid()}")
        os.mkdir(self.scratch)
        try:
            yield
        finally:
            shutil.rmtree(self.scratch)
            self.sync()

    def drop_own_caches(self):
        if self.before_cold:
            run(["sh", "-c", self.before_cold], cwd="/", env={**os.environ, "BENCH_DIR": self.root})


class Bench:
    """What all work shares: sizes, the cold switch, fio, the recorded figures."""

    def __init__(self, options, places):
        self.sizes = Sizes(options.quick, options.size)
        self.places = places
        self.can_drop_caches = os.geteuid() == 0 and os.access("/proc/sys/vm/drop_caches", os.W_OK)
        self.round = 0
        self.figures = {}  # name -> (unit, {place index: [value]})
        self.skipped = []

    def measure(self, rounds, work):
        """work: the functions by their names. The places take turns within each round."""
        for self.round in range(rounds):
            order = self.places if self.round % 2 == 0 else self.places[::-1]
            for name, function in work.items():
                for place in order:
                    print(f"bench: round {self.round + 1} of {rounds}: {name} on {place.title}",
                          file=sys.stderr)
                    self.measure_one(place, name, function)
            for place in order:
                place.end_round(self)

    def measure_one(self, place, name, function):
        try:
            with self.scratch_directory(place, function):
                function(self, place)
        except (BenchError, OSError, sqlite3.Error) as error:
            if not place.optional:
                raise
            self.skip(f"{name} on {place.title}: {error}")

    def scratch_directory(self, place, function):
        """The context in which the work gets its scratch directory."""
        del function  # one place is as good as another
        return place.scratch_directory()

    def skip(self, line):
        if line not in self.skipped:
            self.skipped.append(line)
            print(f"bench: skipped: {line}", file=sys.stderr)

    def record(self, place, name, value, unit):
        _, values = self.figures.setdefault(name, (unit, {}))
        values.setdefault(self.places.index(place), []).append(value)

    def make_cold(self, place):
        """False where the caches cannot be dropped: the caller skips its figure."""
        if not self.can_drop_caches:
            return False
        place.sync()
        place.drop_own_caches()
        drop_caches()
        return True

    def fio(self, *arguments):
        return fio(1000 + self.round, *arguments)

    def fio_mib_per_second(self, direction, *arguments):
        return fio_mib_per_second(self.fio(*arguments)[direction])

    def fio_operations_per_second(self, direction, *arguments):
        side = self.fio(*arguments)[direction]
        return side["total_ios"] / (side["runtime"] / 1000)


# One large file.


def work_large(bench, place):
    size = bench.sizes.large_bytes
    file = [f"--filename={place.path('large')}", f"--size={size}"]
    sequential = [*file, "--bs=1M"]
    random = [*file, "--bs=4k", "--norandommap", f"--runtime={bench.sizes.slice_seconds}"]

    bench.record(place, SEQUENTIAL_WRITE,
                 bench.fio_mib_per_second("write", *sequential, "--rw=write", "--end_fsync=1"),
                 "MiB/s")
    read = [*sequential, "--rw=read"]
    if bench.make_cold(place):
        bench.record(place, SEQUENTIAL_READ_COLD, bench.fio_mib_per_second("read", *read),
                     "MiB/s")
    else:
        bench.fio(*read)
    bench.record(place, SEQUENTIAL_READ_WARM, bench.fio_mib_per_second("read", *read), "MiB/s")
    for jobs, name in RANDOM_READ.items():
        if bench.make_cold(place):
            rate = bench.fio_operations_per_second(
                "read", *random, "--rw=randread", f"--numjobs={jobs}",
                f"--io_size={bench.sizes.overwrite_bytes // jobs}")
            bench.record(place, name, rate, "op/s")
    overwrite = [*file, "--bs=4k", "--rw=randwrite", f"--io_size={bench.sizes.overwrite_bytes}",
                 "--end_fsync=1"]
    bench.record(place, OVERWRITE, bench.fio_operations_per_second("write", *overwrite), "op/s")
    if bench.make_cold(place):
        bench.record(place, READ_AFTER_OVERWRITE,
                     bench.fio_mib_per_second("read", *read), "MiB/s")


# Small durable writes.


def work_fsync(bench, place):
    for jobs, name in FSYNC.items():
        rate = bench.fio_operations_per_second(
            "write", f"--directory={place.scratch}", f"--filename_format={jobs}.$jobnum",
            "--size=64M", "--bs=4k", "--rw=write", "--fsync=1", f"--numjobs={jobs}",
            f"--runtime={bench.sizes.slice_seconds}")
        bench.record(place, name, rate, "op/s")


def work_sqlite(bench, place):
    for (journal, synchronous), name in SQLITE.items():
        rate = sqlite_inserts_per_second(bench, place, journal, synchronous)
        bench.record(place, name, rate, "op/s")


def sqlite_inserts_per_second(bench, place, journal, synchronous):
    """One transaction for each insert."""
    path = place.path(f"{journal}-{synchronous}.db")
    database = sqlite3.connect(path, isolation_level=None)
    try:
        mode = database.execute(f"PRAGMA journal_mode={journal}").fetchone()[0]
        if mode != journal.lower():
            raise BenchError(f"{path}: SQLite cannot use journal_mode={journal} here")
        database.execute(f"PRAGMA synchronous={synchronous}")
        database.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, body BLOB)")
        inserted = 0
        start = time.perf_counter()
        end = start + bench.sizes.slice_seconds
        while inserted < bench.sizes.inserts and time.perf_counter() < end:
            database.execute("INSERT INTO item (body) VALUES (?)", (os.urandom(100),))
            inserted += 1
        return inserted / (time.perf_counter() - start)
    finally:
        database.close()


# Many small files.


def work_files(bench, place):
    tree = place.path("tree")
    count = bench.sizes.directories * bench.sizes.files_per_directory

    def record(name, action):
        bench.record(place, name, count / seconds(action), "files/s")

    record(CREATE, lambda: create_files(tree, bench.sizes.directories,
                                        bench.sizes.files_per_directory))
    if bench.make_cold(place):
        record(STAT_COLD, lambda: stat_files(tree, count))
    else:
        stat_files(tree, count)
    record(STAT_WARM, lambda: stat_files(tree, count))
    if bench.make_cold(place):
        record(READ_FILES, lambda: read_files(tree, count))
    record(COPY_TREE, lambda: run(["cp", "-r", tree, place.path("copy")]))
    place.sync()
    record(REMOVE_TREE, lambda: run(["rm", "-rf", tree]))


def create_files(tree, directories, files_per_directory):
    data = os.urandom(MIB)
    os.mkdir(tree)
    number = 0
    for d in range(directories):
        directory = os.path.join(tree, f"directory-{d:03}")
        os.mkdir(directory)
        for f in range(files_per_directory):
            start = number * 37 % (MIB - 4 * KIB)
            with open(os.path.join(directory, f"file-{f:03}"), "xb", buffering=0) as file:
                file.write(data[start:start + 4 * KIB])
            number += 1


def stat_files(tree, expected):
    count = 0
    for directory in os.listdir(tree):
        path = os.path.join(tree, directory)
        for name in os.listdir(path):
            os.lstat(os.path.join(path, name))
            count += 1
    expect_count(tree, count, expected)


def read_files(tree, expected):
    count = 0
    for directory in os.listdir(tree):
        path = os.path.join(tree, directory)
        for name in os.listdir(path):
            with open(os.path.join(path, name), "rb", buffering=0) as file:
                count += len(file.read()) == 4 * KIB
    expect_count(tree, count, expected)


def expect_count(tree, count, expected):
    if count != expected:
        raise BenchError(f"{tree}: {count} whole files instead of {expected}")


# One file copied by whole ranges, where the file system shares them.


def work_copy(bench, place):
    size = bench.sizes.large_bytes
    bench.fio(f"--filename={place.path('source')}", f"--size={size}", "--bs=1M", "--rw=write",
              "--end_fsync=1")
    place.sync()
    bench.record(place, f"cp of {size // MIB} MiB",
                 1000 * seconds(lambda: run(["cp", place.path("source"), place.path("target")])),
                 "ms")
    # What a file system without sharing still holds back is not left to the next one.
    place.sync()


# One directory with very many entries.


def work_directory(bench, place):
    few, many = 1000, bench.sizes.entries
    small, large = place.path("small"), place.path("large")
    for directory in (small, large):
        os.mkdir(directory)

    def record(name, count, action):
        bench.record(place, name, count / seconds(action), "files/s")

    record(f"create the first {few} entries", few, lambda: create_entries(small, few))
    record(f"create {many} entries", many, lambda: create_entries(large, many))
    record(f"ls -f of {few} entries", few, lambda: run(["ls", "-f", small]))
    record(f"ls -f of {many} entries", many, lambda: run(["ls", "-f", large]))


def create_entries(directory, count):
    for number in range(count):
        path = f"{directory}/entry-{number:07}"
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))


# A git repository.


def work_git(bench, place):
    clone = place.path("clone")
    source = git_repository(bench)
    bench.record(place, "git clone",
                 seconds(lambda: git("clone", "-q", "--no-local", source, clone)), "s")
    if bench.make_cold(place):
        bench.record(place, "git status, cold", seconds(lambda: clean_status(clone)), "s")
    bench.record(place, "git status, warm", seconds(lambda: clean_status(clone)), "s")


def clean_status(clone):
    changed = git("-C", clone, "status", "--porcelain")
    if changed:
        raise BenchError(f"{clone}: git status shows changes in a fresh clone")


def git(*arguments):
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return run(["git", *arguments], env=environment)


def git_repository(bench):
    """The path of the repository that is cloned, outside all directories under test."""
    if not hasattr(bench, "repository"):
        bench.repository_holder = tempfile.TemporaryDirectory(prefix="bench-git-")
        bench.repository = os.path.join(bench.repository_holder.name, "repository")
        git("init", "-q", "--bare", "--initial-branch=main", bench.repository)
        environment = {**os.environ, "GIT_DIR": bench.repository}
        result = subprocess.run(["git", "fast-import", "--quiet"], env=environment, check=False,
                                input=git_history(bench.sizes), stderr=subprocess.PIPE)
        if result.returncode != 0:
            raise BenchError(f"git fast-import: {result.stderr.decode().strip()}")
    return bench.repository


def git_history(sizes):
    """A fast-import stream: all files in the first commit, a tenth of them changed by each next."""
    stream = []
    for commit in range(sizes.git_commits):
        message = f"Change {commit}\n"
        stream.append(f"commit refs/heads/main\ncommitter Bench <bench@example.org> "
                      f"{1700000000 + commit} +0000\ndata {len(message)}\n{message}")
        for file in range(commit % 10, sizes.git_files, 10 if commit else 1):
            text = "".join(f"line {line * file} of file {file}, {line ^ commit}\n"
                           for line in range(200))
            stream.append(f"M 644 inline module-{file % 60}/source-{file}.txt\n"
                          f"data {len(text)}\n{text}\n")
    return "".join(stream).encode()


def file_system_of(path):
    """The type of the mount that holds path, such as ext4 or fuse.cowfs."""
    best = ("", "unknown")
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
        for line in mounts:
            _, point, kind = line.split()[:3]
            for escape, plain in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
                point = point.replace(escape, plain)
            inside = os.path.realpath(path)
            if (inside == point or inside.startswith(point.rstrip("/") + "/")) \
                    and len(point) >= len(best[0]):
                best = (point, kind)
    return best[1]


WORK = {
    "large": work_large,
    "fsync": work_fsync,
    "sqlite": work_sqlite,
    "files": work_files,
    "git": work_git,
    "copy": work_copy,
    "directory": work_directory,
}
