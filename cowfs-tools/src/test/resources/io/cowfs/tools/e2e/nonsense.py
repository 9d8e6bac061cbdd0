"""Sends noise of several lengths to a Unix socket and reads what comes back.

usage: nonsense.py SOCKET
"""

import os
import socket
import sys

for size in (0, 1, 5, 4096, 1 << 20):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(sys.argv[1])
        try:
            connection.sendall(os.urandom(size))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 16):
                pass
        except ConnectionError:
            pass
