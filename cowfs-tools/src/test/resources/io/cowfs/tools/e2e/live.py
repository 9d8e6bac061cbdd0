"""What processes see that use a mounted dataset while it is rolled back.

usage: live.py SCENARIO MOUNT_POINT

MOUNT_POINT is that of an empty dataset. Each scenario prepares a state, takes a snapshot, changes
things, rolls back, and asserts what open handles, mappings and names show. Who started this takes
the snapshots and rolls back, on request: a line "VERB SNAPSHOT", which is answered when it is done.
"""

import ctypes
import errno
import mmap
import os
import random
import signal
import subprocess
import sys
import threading
import time

SIZE = 300_000


def noise(seed, length=SIZE):
    return random.Random(seed).randbytes(length)


class Dataset:
    def __init__(self, root):
        self.root = root
        os.chdir(root)

    def run(self, verb, snapshot):
        print(verb, snapshot, flush=True)
        answer = sys.stdin.readline()
        assert answer == "done\n", f"{verb} {snapshot}: {answer}"

    def snapshot(self, name="before"):
        self.run("snapshot", name)

    def rollback(self, name="before"):
        self.run("rollback", name)


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def all_of(descriptor):
    """What a handle reads from the start to the end of the file."""
    data = b""
    while part := os.pread(descriptor, 1 << 20, len(data)):
        data += part
    return data


def fails(expected, action, *arguments):
    try:
        action(*arguments)
    except OSError as error:
        assert error.errno == expected, f"{error}, and not {errno.errorcode[expected]}"
    else:
        raise AssertionError(f"succeeded, and did not fail with {errno.errorcode[expected]}")


def stable(status):
    """What of a stat result the rollback brings back, also for who has the file open."""
    return (status.st_ino, status.st_mode, status.st_nlink, status.st_uid, status.st_gid,
            status.st_size, status.st_mtime_ns)


def change(path, seed, size):
    """Makes it longer or shorter, and other from start to end, in place."""
    with open(path, "r+b") as file:
        file.write(noise(seed, size))
        file.truncate()


class Kinds:
    """A file of each fate, and handles of each kind on it that were open over the rollback."""
    FATES = {"same": SIZE, "changed": SIZE, "shrunk": 1000, "emptied": 0, "grown": 3 * SIZE + 77}

    def __init__(self, dataset):
        for name in self.FATES:
            write(name, noise(name))
        os.mkdir("directory")
        write("directory/deleted", noise("deleted"))
        dataset.snapshot()
        self.status = {name: os.stat(name) for name in self.names()}
        time.sleep(0.01)
        self.handles = {name: self.open(name) for name in self.names()}
        for name, size in self.FATES.items():
            if name != "same":
                change(name, f"other {name}", size)
        os.unlink("directory/deleted")
        os.rmdir("directory")
        write("created", noise("created"))
        self.created = self.open("created")
        for reader, writer, appender in [*self.handles.values(), self.created]:
            all_of(reader)
            os.fstat(writer)

    def names(self):
        return [*self.FATES, "directory/deleted"]

    @staticmethod
    def open(name):
        return (os.open(name, os.O_RDONLY), os.open(name, os.O_RDWR),
                os.open(name, os.O_WRONLY | os.O_APPEND))


def handles_go_on(dataset):
    kinds = Kinds(dataset)
    dataset.rollback()
    for name, (reader, writer, appender) in kinds.handles.items():
        before = bytearray(noise(name.rpartition("/")[2]))
        for handle in (reader, writer, appender):
            assert stable(os.fstat(handle)) == stable(kinds.status[name]), name
        assert all_of(reader) == before, name
        assert all_of(writer) == before, name
        assert read(name) == before, name
        assert os.stat(name).st_ino == os.fstat(reader).st_ino

        os.write(appender, b"appended")
        before += b"appended"
        os.pwrite(writer, b"written", 123_456)
        before[123_456:123_463] = b"written"
        assert all_of(reader) == before, name
        assert os.lseek(reader, 0, os.SEEK_END) == len(before)
        os.fsync(appender)
        os.ftruncate(writer, 200_000)
        assert all_of(reader) == before[:200_000] == read(name), name
        for handle in (reader, writer, appender):
            os.close(handle)

    reader, writer, appender = kinds.created
    fails(errno.ESTALE, os.pread, reader, 10, 0)
    fails(errno.ESTALE, os.fstat, reader)
    fails(errno.ESTALE, os.pwrite, writer, b"x", 0)
    fails(errno.ESTALE, os.write, appender, b"x")
    fails(errno.ESTALE, os.ftruncate, writer, 0)
    fails(errno.ESTALE, os.fchmod, writer, 0o600)
    for handle in kinds.created:
        os.close(handle)
    assert not os.path.exists("created")


def times_are_those_of_the_snapshot(dataset):
    """A file that nobody has open shows its old change time too, and so does an open one later."""
    for name in ("open", "closed"):
        write(name, noise(name))
    dataset.snapshot()
    before = {name: os.stat(name) for name in ("open", "closed")}
    handle = os.open("open", os.O_RDWR)
    for name in before:
        change(name, "other", 50_000)
        os.chmod(name, 0o600)
    os.setxattr("open", "user.new", b"value")
    dataset.rollback()
    assert stable(os.fstat(handle)) == stable(before["open"])
    assert os.listxattr("open") == []
    os.close(handle)
    assert os.stat("closed").st_ctime_ns == before["closed"].st_ctime_ns
    with open("/proc/sys/vm/drop_caches", "w") as caches:
        caches.write("2")
    for name, status in before.items():
        assert stable(os.stat(name)) == stable(status)
        assert os.stat(name).st_ctime_ns == status.st_ctime_ns, name


def a_rollback_can_be_undone(dataset):
    """Handles go there and back again, also to a file that is not there in between."""
    write("file", noise("before"))
    dataset.snapshot()
    change("file", "after", 2 * SIZE)
    write("later", noise("later"))
    dataset.snapshot("after")
    file = os.open("file", os.O_RDWR)
    later = os.open("later", os.O_RDWR)
    for turn in range(3):
        dataset.rollback("before")
        assert all_of(file) == noise("before")
        fails(errno.ESTALE, os.pread, later, 1, 0)
        dataset.rollback("after")
        assert all_of(file) == noise("after", 2 * SIZE)
        assert all_of(later) == noise("later")
        os.pwrite(later, b"lost again", turn * 1000)
        os.ftruncate(later, SIZE + turn)
    os.close(file)
    os.close(later)


def an_unlinked_file_lives_on(dataset):
    """It had no name at the snapshot, and was open; it is open now."""
    handle = os.open("temporary", os.O_RDWR | os.O_CREAT)
    os.pwrite(handle, noise("before"), 0)
    os.unlink("temporary")
    dataset.snapshot()
    os.pwrite(handle, noise("after", 2 * SIZE), 0)
    dataset.rollback()
    assert all_of(handle) == noise("before")
    for size in range(3):
        write("other", noise(size))
        os.sync()
    assert all_of(handle) == noise("before")
    os.close(handle)


# Mappings -------------------------------------------------------------------------------------

def dies(signal_number, action):
    child = os.fork()
    if child == 0:
        action()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal_number, status


def mapping(name, length, **options):
    with open(name, "r+b") as file:
        return mmap.mmap(file.fileno(), length, **options)


def mappings_show_the_restored_content(dataset):
    write("shrunk", noise("shrunk", 8192))
    write("grown", noise("grown", 8192))
    dataset.snapshot()
    change("shrunk", "other", 4096)
    change("grown", "other", 65536)
    write("created", noise("created", 8192))
    reading = mapping("grown", 65536, access=mmap.ACCESS_READ)
    writing = mapping("grown", 65536)
    copy = mapping("grown", 8192, access=mmap.ACCESS_COPY)
    short = mapping("shrunk", 4096)
    created = mapping("created", 8192)
    assert reading[:8192] == noise("other", 65536)[:8192]
    assert created[:10] == noise("created", 8192)[:10]
    copy[0:4] = b"mine"
    writing[20000:20005] = b"dirty"
    dataset.rollback()
    assert reading[:8192] == noise("grown", 8192)
    assert writing[:8192] == noise("grown", 8192)
    assert copy[:4] == b"mine"
    assert copy[4096:8192] == noise("grown", 8192)[4096:]
    assert short[:4096] == noise("shrunk", 8192)[:4096]
    dies(signal.SIGBUS, lambda: reading[8192])
    dies(signal.SIGBUS, lambda: created[0])
    writing[100:105] = b"after"
    writing.flush()
    assert reading[100:105] == b"after"
    expected = noise("grown", 8192)
    assert read("grown") == expected[:100] + b"after" + expected[105:]


def an_executed_file_goes_on_or_is_gone(dataset):
    """A program that runs is not replaced by half: what it was is restored, or it dies."""
    with open("/bin/sleep", "rb") as program:
        write("program", program.read())
    os.chmod("program", 0o755)
    dataset.snapshot()
    with open("program", "ab") as program:
        program.write(b"longer")
    running = subprocess.Popen(["./program", "2"], cwd=".")
    time.sleep(0.2)
    dataset.rollback()
    assert running.wait() in (0, -signal.SIGBUS)
    assert subprocess.run(["./program", "0"]).returncode == 0
    with open("/bin/sleep", "rb") as program:
        assert read("program") == program.read()


# Other processes ------------------------------------------------------------------------------

def tail_follows(dataset):
    """It is told that the file became shorter, starts anew, and goes on with what comes."""
    write("log", b"one\n")
    dataset.snapshot()
    with open("log", "ab") as log:
        log.write(b"two, longer\n")
    tail = subprocess.Popen(["tail", "-f", "-n", "+1", "log"], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)
    line = tail.stdout.readline
    signal.alarm(60)
    try:
        assert line() == b"one\n"
        assert line() == b"two, longer\n"
        writer = os.open("log", os.O_WRONLY | os.O_APPEND)
        dataset.rollback()
        assert line() == b"one\n"
        os.write(writer, b"three\n")
        assert line() == b"three\n"
        with open("log", "ab") as log:
            log.write(b"four\n")
        assert line() == b"four\n"
    finally:
        tail.terminate()
    assert b"file truncated" in tail.stderr.read()
    assert read("log") == b"one\nthree\nfour\n"
    os.close(writer)


def working_directories(dataset):
    os.makedirs("stays/inner")
    write("stays/inner/old", b"old")
    os.mkdir("removed")
    write("removed/old", b"old")
    dataset.snapshot()
    os.unlink("stays/inner/old")
    write("stays/inner/new", b"new")
    os.rename("stays", "moved")
    os.makedirs("gone/inner")
    write("gone/inner/file", b"file")
    removed = os.open("removed", os.O_RDONLY)
    os.unlink("removed/old")
    os.rmdir("removed")
    gone = os.open("gone/inner", os.O_RDONLY)
    inner = os.open("moved/inner", os.O_RDONLY)
    assert os.listdir(gone) == ["file"] and os.listdir(inner) == ["new"]
    os.fchdir(gone)
    dataset.rollback()

    fails(errno.ENOENT, os.getcwd)
    fails(errno.ESTALE, os.listdir, ".")
    fails(errno.ESTALE, os.listdir, gone)
    fails(errno.ESTALE, os.fstat, gone)
    fails(errno.ESTALE, open, "file")
    fails(errno.ESTALE, os.mkdir, "another")
    fails(errno.ESTALE, os.stat, "..")

    assert os.listdir(inner) == ["old"]
    os.fchdir(inner)
    assert read("old") == b"old"
    fails(errno.ENOENT, os.stat, "new")
    assert os.path.samefile(".", f"{dataset.root}/stays/inner")
    assert os.getcwd() == f"{dataset.root}/stays/inner"

    # The kernel lets nobody into a directory again that it has removed; its name leads to a new one.
    assert os.listdir(removed) == []
    os.chdir(dataset.root)
    assert read("removed/old") == b"old"
    write("removed/new", b"new")
    assert sorted(os.listdir("removed")) == ["new", "old"]
    assert sorted(os.listdir(".")) == ["removed", "stays"]
    for handle in (removed, gone, inner):
        os.close(handle)


def names_are_asked_for_again(dataset):
    os.mkdir("sub")
    write("sub/was", b"was")
    write("sub/both", b"before")
    os.symlink("before", "sub/link")
    os.makedirs("sub/in/deep")
    write("sub/in/deep/was", b"deep")
    dataset.snapshot()
    os.unlink("sub/was")
    os.unlink("sub/in/deep/was")
    os.unlink("sub/link")
    os.symlink("after, longer", "sub/link")
    write("sub/both.new", b"after")
    os.replace("sub/both.new", "sub/both")
    write("sub/is", b"is")
    for _ in range(2):
        assert not os.path.exists("sub/was")
        assert not os.path.exists("sub/in/deep/was")
        assert not os.path.exists("sub/never")
        assert read("sub/is") == b"is" and read("sub/both") == b"after"
        assert os.readlink("sub/link") == "after, longer"
    dataset.rollback()
    assert read("sub/was") == b"was"
    assert read("sub/in/deep/was") == b"deep"
    assert read("sub/both") == b"before"
    assert os.readlink("sub/link") == "before"
    assert not os.path.exists("sub/is")
    assert not os.path.exists("sub/never")
    fails(errno.ENOENT, open, "sub/is")
    os.mkdir("sub/is")
    assert sorted(os.listdir("sub")) == ["both", "in", "is", "link", "was"]


# Load -----------------------------------------------------------------------------------------

class Appender(threading.Thread):
    """Appends records, each whole and numbered, until it is stopped."""
    RECORD = 100

    def __init__(self, path, flags):
        super().__init__()
        self.handle = os.open(path, os.O_WRONLY | os.O_APPEND | flags)
        self.number = 0
        self.stopped = False

    def run(self):
        while not self.stopped:
            self.append()
        os.close(self.handle)

    def append(self):
        self.number += 1
        os.write(self.handle, b"%0*d\n" % (self.RECORD - 1, self.number))


def appending_over_a_rollback_leaves_no_gap(dataset):
    """The file is the restored one, then whole records, the newest last: no holes, no old data."""
    modes = {"cached": 0, "synced": os.O_DSYNC}
    restored = noise("restored", 10_300)
    for name in modes:
        write(name, restored)
    dataset.snapshot()
    for turn in range(8):
        appenders = [Appender(name, flags) for name, flags in modes.items()]
        for appender in appenders:
            appender.start()
        time.sleep(0.05 + turn * 0.03)
        dataset.rollback()
        # On a busy machine a writer may not come to its turn for a while.
        deadline = time.monotonic() + 20
        for appender in appenders:
            reached = appender.number + 2
            while appender.number < reached and appender.is_alive() and time.monotonic() < deadline:
                time.sleep(0.001)
        for appender in appenders:
            appender.stopped = True
            appender.join()
        for name, appender in zip(modes, appenders):
            data = read(name)
            assert len(data) == os.stat(name).st_size
            assert data[:len(restored)] == restored, name
            numbers = [int(line) for line in data[len(restored):].split(b"\n")[:-1]]
            assert numbers, "nothing was appended since"
            last = appender.number
            assert numbers == list(range(last - len(numbers) + 1, last + 1)), numbers[:3]


def overwriting_over_a_rollback_mixes_nothing(dataset):
    """Only the starts of pages are written to; the rest of each page is as it was restored."""
    page = 4096
    pages = 100
    write("file", b"A" * page * pages)
    dataset.snapshot()
    for turn in range(6):
        handle = os.open("file", os.O_RDWR)
        mapped = mmap.mmap(handle, 0)
        os.pwrite(handle, b"B" * page * pages, 0)
        stop = threading.Event()

        def overwrite():
            number = 0
            while not stop.is_set():
                number += 1
                at = number * 7 % pages * page
                mapped[at:at + 8] = b"%-8d" % number
                at = number * 11 % pages * page
                os.pwrite(handle, b"%-8d" % number, at + 8)

        writer = threading.Thread(target=overwrite)
        writer.start()
        time.sleep(0.05 + turn * 0.02)
        dataset.rollback()
        stop.set()
        writer.join()
        os.fsync(handle)
        data = read("file")
        assert len(data) == pages * page
        for at in range(0, len(data), page):
            assert data[at + 16:at + page] == b"A" * (page - 16), (turn, at, data[at:at + 32])
        assert mapped[:] == data
        mapped.close()
        os.close(handle)


if __name__ == "__main__":
    globals()[sys.argv[1]](Dataset(os.path.realpath(sys.argv[2])))
