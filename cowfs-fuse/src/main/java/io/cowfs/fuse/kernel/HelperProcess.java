package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.kernel.LibC.Native.LIBC;

import io.cowfs.fuse.errno.Errno;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A small helper program that inherits one descriptor, which {@link ProcessBuilder} cannot pass on.
 * What it writes to its standard error becomes the message when it fails.
 */
final class HelperProcess {
  private static final int STDERR = 2;

  /** The descriptor's number in the helper. */
  private static final int INHERITED = 3;

  private static final String INHERITED_VARIABLE = "_FUSE_COMMFD";

  private static final int ERROR_BYTES_MAX = 8192;

  private final int pid;
  private final int errorPipe;

  private HelperProcess(int pid, int errorPipe) {
    this.pid = pid;
    this.errorPipe = errorPipe;
  }

  /**
   * Starts the program.
   *
   * @param inherited a descriptor that it gets, announced in its environment, or -1
   */
  static HelperProcess start(String program, List<String> arguments, int inherited)
      throws MountException {
    Path executable = find(program);
    List<String> words = new ArrayList<>(List.of(program));
    words.addAll(arguments);
    Map<String, String> environment = new TreeMap<>(System.getenv());
    if (inherited >= 0) {
      environment.put(INHERITED_VARIABLE, Integer.toString(INHERITED));
    }
    int[] pipe = new int[2];
    if (LIBC.pipe2(pipe, LibC.Native.O_CLOEXEC) != 0) {
      throw new MountException("pipe: " + LibC.Native.message(LibC.Native.errno()));
    }
    int[] pid = new int[1];
    List<Spawn.Descriptor> descriptors = new ArrayList<>();
    descriptors.add(new Spawn.Descriptor(pipe[1], STDERR));
    if (inherited >= 0) {
      descriptors.add(new Spawn.Descriptor(inherited, INHERITED));
    }
    int errno = Spawn.start(executable, words, environment, descriptors, pid);
    LIBC.close(pipe[1]);
    if (errno != 0) {
      LIBC.close(pipe[0]);
      throw new MountException(executable + ": " + LibC.Native.message(errno));
    }
    return new HelperProcess(pid[0], pipe[0]);
  }

  /**
   * Waits for the end of the program.
   *
   * @throws MountException with the given words and what the program said, when it failed
   */
  void await(String failure) throws MountException {
    String errors = readErrors();
    int status = Spawn.await(pid);
    if (status != 0) {
      String reason = errors.strip().replace('\n', ' ');
      throw new MountException(
          failure + ": " + (reason.isEmpty() ? "wait status " + status : reason));
    }
  }

  private String readErrors() {
    ByteBuffer chunk = ByteBuffer.allocateDirect(512);
    long address = LibC.Native.address(chunk);
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    while (true) {
      long bytes = LIBC.read(errorPipe, address, chunk.capacity());
      if (bytes < 0 && LibC.Native.errno() == Errno.EINTR) {
        continue;
      }
      if (bytes <= 0) {
        break;
      }
      for (int i = 0; i < bytes && errors.size() < ERROR_BYTES_MAX; i++) {
        errors.write(chunk.get(i));
      }
    }
    LIBC.close(errorPipe);
    return errors.toString(StandardCharsets.UTF_8);
  }

  /** The program, searched in PATH and then where distributions put it. */
  private static Path find(String program) throws MountException {
    String path = System.getenv().getOrDefault("PATH", "") + ":/usr/bin:/bin:/usr/local/bin";
    for (String directory : path.split(":", -1)) {
      Path candidate = Path.of(directory.isEmpty() ? "." : directory, program);
      if (Files.isExecutable(candidate)) {
        return candidate;
      }
    }
    throw new MountException(program + " is not installed (package fuse3)");
  }
}
