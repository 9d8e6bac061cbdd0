"""Makes handles of files, or opens what handles lead to and tells what is there."""

import ctypes
import errno
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
AT_FDCWD = -100
BYTES = 128


def make(root, target, paths):
    with open(target, "wb") as out:
        for path in paths:
            handle = ctypes.create_string_buffer(BYTES.to_bytes(4, sys.byteorder), 8 + BYTES)
            mount = ctypes.c_int()
            name = os.path.join(root, path).encode()
            if libc.name_to_handle_at(AT_FDCWD, name, handle, ctypes.byref(mount), 0) < 0:
                raise OSError(ctypes.get_errno(), path)
            out.write(handle.raw)


def open_all(root, source):
    mount = os.open(root, os.O_RDONLY)
    with open(source, "rb") as handles:
        while handle := handles.read(8 + BYTES):
            fd = libc.open_by_handle_at(mount, handle, os.O_RDONLY)
            if fd < 0:
                text = errno.errorcode[ctypes.get_errno()]
            elif os.path.isdir(f"/proc/self/fd/{fd}"):
                text = "dir:" + " ".join(os.listdir(fd))
            else:
                text = os.read(fd, 100).decode()
            print(text, end="|")


if sys.argv[1] == "make":
    make(sys.argv[2], sys.argv[3], sys.argv[4:])
else:
    open_all(sys.argv[2], sys.argv[3])
