"""Fills a file through a shared mapping, makes a directory, and fills the file anew.

The mapping is never synced and stays in place while the directory is made.

usage: mapped_over.py FILE BYTE_VALUE DIRECTORY LATER_BYTE_VALUE
"""

import mmap
import os
import sys

descriptor = os.open(sys.argv[1], os.O_RDWR)
pages = mmap.mmap(descriptor, 0)
os.close(descriptor)
pages[:] = bytes([int(sys.argv[2])]) * len(pages)
os.mkdir(sys.argv[3])
pages[:] = bytes([int(sys.argv[4])]) * len(pages)
