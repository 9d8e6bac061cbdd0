"""Makes or checks files with unusual names.

usage: names.py make|check DIR

Every byte that a name may hold occurs alone, doubled and within a name; there are names of 255
bytes, and one byte more is refused. The content of each file is its name.
"""

import errno
import os
import sys

LEGAL = [bytes([value]) for value in range(1, 256) if value != ord("/")]


def names():
    for byte in LEGAL:
        if byte != b".":
            yield byte
            yield byte + byte
        yield b"a" + byte + b"z"
    yield b"x" * 255
    yield "\u00e9".encode() * 127
    yield b"\xff" * 255
    yield b"..."
    yield b" leading and trailing "
    yield b"-rf"


def make(directory):
    for name in names():
        with open(os.path.join(directory, name), "xb") as file:
            file.write(name)
    for too_long in (b"x" * 256, b"y" * 1000):
        try:
            os.mkdir(os.path.join(directory, too_long))
        except OSError as error:
            assert error.errno == errno.ENAMETOOLONG, error
        else:
            sys.exit(f"a name of {len(too_long)} bytes was accepted")


def check(directory):
    expected = sorted(names())
    assert sorted(os.listdir(directory)) == expected, "other names than were made"
    for name in expected:
        with open(os.path.join(directory, name), "rb") as file:
            assert file.read() == name, name


{"make": make, "check": check}[sys.argv[1]](os.fsencode(sys.argv[2]))
