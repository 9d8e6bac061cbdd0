"""Advisory locks of all three kinds, between two processes."""

import fcntl
import os
import struct
import sys

F_OFD_SETLK = 37
path = sys.argv[1]
fd = os.open(path, os.O_CREAT | os.O_RDWR)


def refused_in_another_process(take):
    child = os.fork()
    if child == 0:
        try:
            take(os.open(path, os.O_RDWR))
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] != 0


def flock(kind):
    return lambda f: fcntl.flock(f, kind | fcntl.LOCK_NB)


def posix(kind, start):
    wait = 0 if kind == fcntl.LOCK_UN else fcntl.LOCK_NB
    return lambda f: fcntl.lockf(f, kind | wait, 10, start)


def ofd(kind, start):
    lock = struct.pack("hhqqi4x", kind, os.SEEK_SET, start, 10, 0)
    return lambda f: fcntl.fcntl(f, F_OFD_SETLK, lock)


flock(fcntl.LOCK_EX)(fd)
assert refused_in_another_process(flock(fcntl.LOCK_SH))
flock(fcntl.LOCK_SH)(fd)
assert not refused_in_another_process(flock(fcntl.LOCK_SH))
assert refused_in_another_process(flock(fcntl.LOCK_EX))
flock(fcntl.LOCK_UN)(fd)

posix(fcntl.LOCK_EX, 0)(fd)
assert refused_in_another_process(posix(fcntl.LOCK_SH, 5))
assert not refused_in_another_process(posix(fcntl.LOCK_EX, 10))
posix(fcntl.LOCK_UN, 0)(fd)

ofd(fcntl.F_WRLCK, 0)(fd)
assert refused_in_another_process(ofd(fcntl.F_RDLCK, 9))
assert refused_in_another_process(posix(fcntl.LOCK_EX, 0))
assert not refused_in_another_process(ofd(fcntl.F_WRLCK, 10))
print("ok")
