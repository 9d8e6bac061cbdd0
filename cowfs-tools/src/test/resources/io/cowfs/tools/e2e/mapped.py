"""Fills a file, which must be there in its size, through a shared mapping that is never synced.

usage: mapped.py FILE BYTE_VALUE
"""

import mmap
import os
import sys

descriptor = os.open(sys.argv[1], os.O_RDWR)
pages = mmap.mmap(descriptor, 0)
for at in range(0, len(pages), 4096):
    length = min(4096, len(pages) - at)
    pages[at:at + length] = bytes([int(sys.argv[2])]) * length
