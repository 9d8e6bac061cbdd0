package io.cowfs.fuse.kernel;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Who speaks the kernel's protocol. */
public enum Transport {
  /** This program: {@link KernelMount}. */
  KERNEL,
  /** libfuse 2, in {@code io.cowfs.fuse.libfuse}. */
  LIBFUSE;

  private static final Path DEVICE = Path.of("/dev/fuse");

  /** KERNEL where this user can open {@code /dev/fuse} directly. */
  public static Transport preferred() {
    return Files.isReadable(DEVICE) && Files.isWritable(DEVICE) ? KERNEL : LIBFUSE;
  }

  /** Its name on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
