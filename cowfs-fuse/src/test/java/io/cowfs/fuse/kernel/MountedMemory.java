package io.cowfs.fuse.kernel;

import io.cowfs.core.vfs.FileSystem;
import io.cowfs.fuse.libfuse.LibfuseMount;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real mount for a test, that is gone when the test ends, whatever happened. */
public final class MountedMemory<F extends FileSystem> implements AutoCloseable {
  private static final long COMMAND_SECONDS = 60;

  /** In place of mount options: the other transport. */
  public static final String LIBFUSE = "libfuse";

  public final F fileSystem;
  public final Mount mount;
  public final Path root;

  public MountedMemory(F fileSystem, Path directory, String options) throws IOException {
    this(fileSystem, directory, options, Mounter.forThisUser());
  }

  MountedMemory(F fileSystem, Path directory, String options, Mounter mounter) throws IOException {
    this.fileSystem = fileSystem;
    root = Files.createDirectories(directory);
    if (options.equals(LIBFUSE)) {
      MountOptions defaults = MountOptions.defaults().withSource("memory");
      mount = LibfuseMount.mount(fileSystem, root, defaults);
    } else {
      MountOptions parsed = MountOptions.parse(List.of(options)).withSource("memory");
      mount = KernelMount.mount(fileSystem, root, parsed, mounter);
    }
  }

  /** A mount on which a pool can lie. */
  public static <F extends FileSystem> MountedMemory<F> asHost(F fileSystem, Path directory)
      throws IOException {
    Path backing = Files.write(directory.resolveSibling("backing"), new byte[1 << 20]);
    return new MountedMemory<>(fileSystem, directory, "writeback=off", new BlockMounter(backing));
  }

  /** Mounting needs root and the device; where they are missing, such tests are skipped. */
  public static boolean possible() {
    return LibC.Native.LIBC.geteuid() == 0 && Files.exists(Path.of("/dev/fuse"));
  }

  /** Runs a shell script in the root of the mount; its output. Fails when the script does. */
  public String shell(String script) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder("sh", "-ec", script)
            .directory(root.toFile())
            .redirectErrorStream(true)
            .start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(COMMAND_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new AssertionError(script + " failed: " + output);
    }
    return output;
  }

  @Override
  public void close() throws IOException {
    mount.unmountBusy();
  }
}
