"""The file systems that scripts/bench sets up: each mounted at `root`, below a directory of the host.

They are made by `make`, then mounted and unmounted as often as one likes; `daemon_pid` is that of the
process that serves the mount, None where the kernel does.

A daemon is a child of this process, in a session of its own, so that an interrupt of the terminal
does not reach it before its mount is gone.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time

from bench_common import BenchError, run

COWFS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "cowfs")
MOUNT_SECONDS_MAX = 300  # the first mount may have to build the program
END_SECONDS_MAX = 120
BUSY_SECONDS_MAX = 10
COMMIT_SECONDS = 6  # after this what was written is committed, with some to spare
INTERRUPTS = {signal.SIGINT, signal.SIGTERM}


@contextlib.contextmanager
def uninterrupted():
    """Puts Ctrl-C off: what is set up or taken down is so to the end."""
    former = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def interruptible():
    signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTS)


def unmount(point):
    """Unmounts; what stays busy is detached, and told."""
    if not os.path.ismount(point):
        return
    deadline = time.monotonic() + BUSY_SECONDS_MAX
    while True:
        try:
            run(["umount", point])
            return
        except BenchError as error:
            if time.monotonic() > deadline:
                run(["umount", "-l", point])
                raise BenchError(f"{point} was busy and is detached now") from error
        time.sleep(0.2)


class FileSystem:
    """What they share."""

    def daemon_pid(self):
        return None

    def settle(self):
        """Until everything that was written has gone to the device or file below."""
        run(["sync", "-f", self.root])

    def await_commit(self):
        """Until what was synced is where it is to stay; for most it is so at once."""


class Host(FileSystem):
    """A plain directory."""

    title = "host"
    packages = {}

    def __init__(self, directory):
        self.root = os.path.join(directory, "host")

    def make(self):
        os.mkdir(self.root)

    def mount(self):
        pass

    def unmount(self):
        pass


class LoopFileSystem(FileSystem):
    """A file system of the kernel in a sparse file, mounted through a loop device."""

    def __init__(self, directory, image_bytes):
        self.image = os.path.join(directory, "image")
        self.image_bytes = image_bytes
        self.root = os.path.join(directory, "mounted")

    def make(self):
        os.mkdir(self.root)
        with open(self.image, "xb") as file:
            file.truncate(self.image_bytes)
        run([*self.make_command, self.image])

    def mount(self):
        run(["mount", "-o", "loop", self.image, self.root])

    def unmount(self):
        unmount(self.root)

    def written_bytes(self):
        """What has been written to the loop device."""
        device = run(["losetup", "--noheadings", "--output", "NAME", "--associated", self.image])
        path = os.path.join("/sys/block", os.path.basename(device.strip()), "stat")
        with open(path, encoding="ascii") as file:
            return int(file.read().split()[6]) * 512


class Ext4(LoopFileSystem):
    """Writes nothing of its own accord, as it would to finish what mkfs has put off."""

    title = "ext4"
    packages = {"mkfs.ext4": "e2fsprogs"}
    make_command = ["mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0"]


class Btrfs(LoopFileSystem):
    title = "btrfs"
    packages = {"mkfs.btrfs": "btrfs-progs"}
    make_command = ["mkfs.btrfs", "-q"]


class Xfs(LoopFileSystem):
    title = "xfs"
    packages = {"mkfs.xfs": "xfsprogs"}
    make_command = ["mkfs.xfs", "-q"]


class Daemon:
    """A process that serves a mount: started, awaited, ended."""

    def __init__(self, command, output, **options):
        self.command = command
        self.output = output
        with open(output, "wb") as file:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file,
                                            stderr=file, start_new_session=True,
                                            preexec_fn=interruptible, **options)

    def await_until(self, ready):
        deadline = time.monotonic() + MOUNT_SECONDS_MAX
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(self.output, encoding="utf-8", errors="replace") as file:
                    lines = file.read().strip().splitlines() or ["no message"]
                self.end()
                raise BenchError(f"{self.command[0]}: {lines[-1]}")
            time.sleep(0.02)

    def await_end(self):
        """Until it has ended by itself, as it does when its mount is gone."""
        try:
            self.process.wait(END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise BenchError(f"{self.command[0]} did not end and was killed") from None

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.await_end()


class DaemonFileSystem(FileSystem):
    """What the file systems in user space share."""

    daemon = None

    def daemon_pid(self):
        return self.daemon.process.pid if self.daemon else None


class PassThrough(DaemonFileSystem):
    """Shows a directory of the host through FUSE."""

    def __init__(self, directory):
        self.directory = directory
        self.root = os.path.join(directory, "mounted")

    def make(self):
        os.mkdir(self.root)
        for name in self.directories:
            os.mkdir(os.path.join(self.directory, name))

    def mount(self):
        self.daemon = Daemon([word.format(self.directory) for word in self.command] + [self.root],
                             os.path.join(self.directory, "output"))
        self.daemon.await_until(lambda: os.path.ismount(self.root))

    def unmount(self):
        unmount(self.root)
        if self.daemon:
            self.daemon.await_end()
            self.daemon = None


class FuseOverlayfs(PassThrough):
    title = "fuse-overlayfs"
    packages = {"fuse-overlayfs": "fuse-overlayfs"}
    directories = ("lower", "upper", "work")
    command = ("fuse-overlayfs", "-f", "-o", "lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work")


class Bindfs(PassThrough):
    title = "bindfs"
    packages = {"bindfs": "bindfs"}
    directories = ("source",)
    command = ("bindfs", "-f", "{0}/source")


class ZfsFuse(DaemonFileSystem):
    """A ZFS pool in a sparse file. The daemon is one for the whole system, so there must be no other."""

    title = "zfs-fuse"
    packages = {"zfs-fuse": "zfs-fuse"}
    socket = "/run/zfs/zfs_socket"

    def __init__(self, directory, image_bytes):
        self.directory = directory
        self.image = os.path.join(directory, "image")
        self.image_bytes = image_bytes
        self.root = os.path.join(directory, "mounted")
        self.pool = f"bench{os.getpid()}"

    def make(self):
        if "zfs-fuse" in names_of_processes():
            raise BenchError("a zfs-fuse runs already, which is not for the bench to use or to end")
        os.mkdir(self.root)
        with open(self.image, "xb") as file:
            file.truncate(self.image_bytes)
        self.start()
        try:
            run(["zpool", "create", "-o", "cachefile=none", "-m", self.root, self.pool, self.image])
            run(["zpool", "export", self.pool])
        finally:
            self.stop()

    def start(self):
        with contextlib.suppress(FileNotFoundError):  # of one that was killed
            os.unlink(self.socket)
        self.daemon = Daemon(["zfs-fuse", "--no-daemon", "--no-kstat-mount", "--pidfile",
                              os.path.join(self.directory, "pid")],
                             os.path.join(self.directory, "output"))
        self.daemon.await_until(lambda: os.path.exists(self.socket))

    def stop(self):
        if self.daemon:
            self.daemon.end()
            self.daemon = None
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.socket)

    def mount(self):
        self.start()
        self.import_pool()

    def import_pool(self):
        run(["zpool", "import", "-d", self.directory, "-o", "cachefile=none", self.pool])

    def settle(self):
        """A sync does not reach it."""
        run(["zpool", "export", self.pool])
        self.import_pool()

    def unmount(self):
        try:
            if os.path.ismount(self.root):
                run(["zpool", "export", self.pool])
        finally:
            self.stop()
            if os.path.ismount(self.root):
                run(["umount", "-l", self.root])


def names_of_processes():
    names = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError), \
                    open(f"/proc/{entry}/comm", encoding="utf-8", errors="replace") as file:
                names.add(file.read().strip())
    return names


class Cowfs(DaemonFileSystem):
    """A pool in the directory, mounted by scripts/cowfs of this checkout.

    options: mount options, or None; flags: more flags for the daemon's virtual machine.
    """

    title = "cowfs"
    packages = {}

    def __init__(self, directory, options=None, flags=None):
        self.pool = os.path.join(directory, "pool")
        self.root = os.path.join(directory, "mounted")
        self.output = os.path.join(directory, "output")
        self.options = ["-o", options] if options else []
        self.environment = {**os.environ, **({"COWFS_DAEMON_FLAGS": flags} if flags else {})}

    def make(self):
        os.mkdir(self.root)
        run([COWFS, "init", self.pool])

    def mount(self):
        self.daemon = Daemon([COWFS, "mount", "--foreground", *self.options, self.pool, self.root],
                             self.output, env=self.environment)
        self.daemon.await_until(lambda: os.path.ismount(self.root))

    def settle(self):
        super().settle()
        run([COWFS, "sync", self.pool])

    def await_commit(self):
        """A sync is a record in the log; its data go to their place with the next commit."""
        time.sleep(COMMIT_SECONDS)

    def unmount(self):
        try:
            if os.path.ismount(self.root):
                run([COWFS, "umount", self.root])
        finally:
            if os.path.ismount(self.root):
                run(["umount", "-l", self.root])
            if self.daemon:
                self.daemon.await_end()
                self.daemon = None


@contextlib.contextmanager
def mounted(parent, make):
    """A file system of its own, in a directory below parent, and that taken away again.

    make: gives the file system for that directory.
    """
    directory = file_system = None
    try:
        # An interrupt that was put off comes when this block ends, which is within the try.
        with uninterrupted():
            directory = tempfile.mkdtemp(prefix=".bench-", dir=parent)
            file_system = make(directory)
            file_system.make()
            file_system.mount()
        yield file_system
    finally:
        with uninterrupted():
            if file_system is not None:
                take_down(file_system, directory)


def take_down(file_system, directory):
    """What is still mounted is not deleted."""
    try:
        file_system.unmount()
    finally:
        if not os.path.ismount(file_system.root):
            shutil.rmtree(directory)
