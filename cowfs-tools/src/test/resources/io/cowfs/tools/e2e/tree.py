"""Lists a tree, one line for each file, in an order that depends on the names alone.

usage: tree.py [--ctime] DIR

Names are bytes and printed as Python prints them. Inode numbers are left out, but files that are
the same file name the first of their names. Directory sizes and link counts differ between file
systems and are left out as well.
"""

import hashlib
import os
import stat
import sys


def main():
    with_ctime = "--ctime" in sys.argv[1:]
    root = os.fsencode(sys.argv[-1])
    first_names = {}
    for path in sorted(paths(root)):
        name = os.path.relpath(path, root)
        print(describe(path, name, first_names, with_ctime))


def paths(directory):
    yield directory
    with os.scandir(directory) as entries:
        found = list(entries)
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from paths(entry.path)
        else:
            yield entry.path


def describe(path, name, first_names, with_ctime):
    status = os.lstat(path)
    parts = [repr(name), f"{status.st_mode:o}", f"{status.st_uid}:{status.st_gid}",
             f"mtime={status.st_mtime_ns}"]
    if with_ctime:
        parts.append(f"ctime={status.st_ctime_ns}")
    kind = status.st_mode
    if not stat.S_ISDIR(kind):
        parts.append(f"size={status.st_size}")
        parts.append(f"links={status.st_nlink}")
        first = first_names.setdefault(status.st_ino, name)
        if first != name:
            parts.append(f"same-as={first!r}")
    if stat.S_ISCHR(kind) or stat.S_ISBLK(kind):
        parts.append(f"device={os.major(status.st_rdev)}:{os.minor(status.st_rdev)}")
    if stat.S_ISLNK(kind):
        parts.append(f"target={os.readlink(path)!r}")
    if stat.S_ISREG(kind):
        parts.append(checksum(path))
    for attribute in sorted(os.listxattr(path, follow_symlinks=False)):
        value = os.getxattr(path, attribute, follow_symlinks=False)
        parts.append(f"{attribute}={hashlib.sha256(value).hexdigest()[:16]}")
    return " ".join(parts)


def checksum(path):
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


main()
