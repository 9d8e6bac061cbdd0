"""Makes one file durable and another not, then shuts the file system down by ioctl."""

import errno
import fcntl
import os
import sys

XFS_IOC_GOINGDOWN = 0x8004587D

os.chdir(sys.argv[1])
root = os.open(".", os.O_RDONLY)
durable = os.open("durable", os.O_CREAT | os.O_RDWR)
os.write(durable, b"d" * 100_000)
os.fsync(durable)
lost = os.open("lost", os.O_CREAT | os.O_RDWR)
os.write(lost, b"l" * 100_000)
if os.fork() == 0:
    os.setuid(65534)
    try:
        fcntl.ioctl(root, XFS_IOC_GOINGDOWN, bytes(4))
    except PermissionError:
        os._exit(0)
    os._exit(1)
assert os.wait()[1] == 0, "shut down by nobody"
fcntl.ioctl(root, XFS_IOC_GOINGDOWN, bytes(4))


def fails(call, *arguments):
    try:
        call(*arguments)
    except OSError as e:
        assert e.errno == errno.EIO, e
        return
    raise AssertionError(f"{call} goes on")


fails(os.fsync, lost)
fails(os.open, "new", os.O_CREAT | os.O_RDWR)
fails(os.mkdir, "new")
fails(os.statvfs, ".")
fails(os.listdir, ".")
fails(os.unlink, "durable")
fails(os.truncate, "durable", 0)
