"""Finds a sequence of bytes in a file, and flips one bit a little behind its start.

usage: flip.py FILE HEX_DIGITS
"""

import sys

with open(sys.argv[1], "r+b") as file:
    data = file.read()
    found = data.find(bytes.fromhex(sys.argv[2]))
    assert found > 0, "not there"
    file.seek(found + 5000)
    file.write(bytes([data[found + 5000] ^ 1]))
