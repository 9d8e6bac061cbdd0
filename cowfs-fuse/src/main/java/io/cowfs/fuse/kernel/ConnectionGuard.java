package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.kernel.LibC.Native.LIBC;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A child process that aborts the connection of a mount when this process has died.
 *
 * <p>The kernel does that by itself when nobody has {@code /dev/fuse} open any more. But a
 * notification is written to that device, and what it invalidates it waits for: pages that are
 * being read or written, the lock of a directory in which a name is being made. All of that may
 * depend on requests that this process, when it is killed, will not answer; no signal ends the wait
 * and the write keeps the device open. {@link PrivateTableThread} is of no use here.
 *
 * <p>The child has nothing but the end of a pipe and the file to abort with. The other end of the
 * pipe is in the table of a thread that only sleeps, so that it is closed at once when this process
 * is killed, whatever its other threads wait for.
 */
final class ConnectionGuard implements AutoCloseable {
  private static final Path SHELL = Path.of("/bin/sh");

  /** Signals to the whole process group are meant for this process, which may go on for a while. */
  private static final String SCRIPT =
      "exec 2>/dev/null; trap '' HUP INT QUIT TERM; read end; echo 1";

  private static final int STDIN = 0;
  private static final int STDOUT = 1;

  private final PrivateTableThread thread;

  /** Only in the table of the thread. */
  private final int pipe;

  private final int pid;

  private ConnectionGuard(PrivateTableThread thread, int pipe, int pid) {
    this.thread = thread;
    this.pipe = pipe;
    this.pid = pid;
  }

  /**
   * Starts the child.
   *
   * @param device of the mount, as in {@link MountTable#deviceOf}
   * @throws MountException when the connection cannot be guarded here; the mount works all the same
   */
  static ConnectionGuard start(String device, Path mountPoint) throws MountException {
    PrivateTableThread thread = new PrivateTableThread("fuse-guard");
    int[] pipe = new int[2];
    int[] pid = new int[1];
    List<String> words = List.of("sh", "-c", SCRIPT, "cowfs-guard", mountPoint.toString());
    String failure = thread.call(() -> spawn(device, words, pipe, pid), "closed");
    if (!failure.isEmpty()) {
      thread.close();
      throw new MountException(failure);
    }
    return new ConnectionGuard(thread, pipe[1], pid[0]);
  }

  /** Returns what is wrong, or nothing. */
  private static String spawn(String device, List<String> words, int[] pipe, int[] pid) {
    int abort = ControlFileSystem.openAbortFile(device);
    if (abort < 0) {
      return "fusectl: " + LibC.Native.message(LibC.Native.errno());
    }
    if (LIBC.pipe2(pipe, LibC.Native.O_CLOEXEC) != 0) {
      LIBC.close(abort);
      return "pipe: " + LibC.Native.message(LibC.Native.errno());
    }
    List<Spawn.Descriptor> descriptors =
        List.of(new Spawn.Descriptor(pipe[0], STDIN), new Spawn.Descriptor(abort, STDOUT));
    int errno = Spawn.start(SHELL, words, Map.of(), descriptors, pid);
    LIBC.close(abort);
    LIBC.close(pipe[0]);
    if (errno != 0) {
      LIBC.close(pipe[1]);
      return SHELL + ": " + LibC.Native.message(errno);
    }
    return "";
  }

  /** The connection has ended, or ends now. Returns when the child is gone. */
  @Override
  public void close() {
    thread.call(
        () -> {
          LIBC.close(pipe);
          return Spawn.await(pid);
        },
        0);
    thread.close();
  }
}
