"""Writes two files without a name, gives one of them a name, and ends without closing the other."""

import os
import sys

root, named, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
kept = os.open(root, os.O_TMPFILE | os.O_RDWR, 0o600)
lost = os.open(root, os.O_TMPFILE | os.O_RDWR, 0o600)
for fd in (kept, lost):
    for _ in range(size >> 20):
        os.write(fd, os.urandom(1 << 20))
    os.fsync(fd)
# With a directory, os.link follows symbolic links.
os.link(f"/proc/self/fd/{kept}", named, src_dir_fd=os.open(root, os.O_RDONLY))
