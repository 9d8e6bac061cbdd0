"""Does as many things as asked for in a directory, and leaves it empty: busy.py DIR COUNT"""
import os
import sys

root, count = sys.argv[1], int(sys.argv[2])
for number in range(0, count, 10):
    path = f"{root}/file-{number % 500}"
    with open(path, "wb") as file:
        file.write(b"x" * (number % 20_000))
    os.setxattr(path, "user.number", b"%d" % number)
    os.stat(path)
    os.rename(path, path + "-renamed")
    os.link(path + "-renamed", path)
    with open(path, "r+b") as file:
        file.truncate(number % 5000)
        file.read()
    os.mkdir(f"{root}/directory")
    os.listdir(root)
    os.rmdir(f"{root}/directory")
    os.unlink(path)
    os.unlink(path + "-renamed")
    if number % 10_000 == 0:
        os.mkdir(f"{root}/.cowfs/snapshot/busy")
        os.rmdir(f"{root}/.cowfs/snapshot/busy")
