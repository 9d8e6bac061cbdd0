package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.kernel.LibC.Native.LIBC;

import io.cowfs.fuse.errno.Errno;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Starting programs with chosen descriptors, which {@link ProcessBuilder} cannot pass on. */
final class Spawn {
  /** More than {@code posix_spawn_file_actions_t} takes in any C library of Linux. */
  private static final int FILE_ACTIONS_BYTES = 1024;

  private Spawn() {}

  /**
   * A descriptor that the program gets.
   *
   * @param there its number in the program
   */
  record Descriptor(int here, int there) {}

  /**
   * Starts a program, with the table of the calling thread less what is closed on exec.
   *
   * @param words its arguments, from its name on
   * @param pid gets the process, for {@link #await}
   * @return 0 or an errno
   */
  static int start(
      Path executable,
      List<String> words,
      Map<String, String> environment,
      List<Descriptor> descriptors,
      int[] pid) {
    List<String> assignments =
        environment.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toList();
    try (NativeArena arena = new NativeArena()) {
      long actions = LibC.Native.address(arena.allocate(FILE_ACTIONS_BYTES));
      LIBC.posix_spawn_file_actions_init(actions);
      for (Descriptor descriptor : descriptors) {
        LIBC.posix_spawn_file_actions_adddup2(actions, descriptor.here, descriptor.there);
      }
      byte[] path = LibC.Native.string(executable.toString());
      int errno =
          LIBC.posix_spawn(pid, path, actions, 0, arena.strings(words), arena.strings(assignments));
      LIBC.posix_spawn_file_actions_destroy(actions);
      return errno;
    }
  }

  /** Waits for the end of a program; its wait status. */
  static int await(int pid) {
    int[] status = new int[1];
    while (LIBC.waitpid(pid, status, 0) < 0 && LibC.Native.errno() == Errno.EINTR) {
      // A signal arrived at this process; wait on.
    }
    return status[0];
  }
}
