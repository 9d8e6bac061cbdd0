package io.cowfs.core.device;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * A block device that is to become that of a pool.
 *
 * @param path absolute
 */
public record NewDevice(Path path, Overwrite overwrite) {
  /** From stat(2). */
  private static final int S_IFMT = 0170000;

  private static final int S_IFBLK = 0060000;

  /** What is done about data that is on the device. */
  public enum Overwrite {
    REFUSE,
    FORCE
  }

  /** Why the device cannot be taken, as one line. */
  private static final class UnfitDeviceException extends StorageException {
    private static final long serialVersionUID = 1L;

    UnfitDeviceException(String message) {
      super(message);
    }
  }

  /**
   * Refuses what is no block device, is in use, or too small, and unless forced also what holds
   * something already. Changes nothing.
   *
   * @param neededBytes the least size
   * @throws IOException with one line that names the device
   */
  public void requireFit(long neededBytes) throws IOException {
    if (!Files.exists(path)) {
      throw new UnfitDeviceException(path + ": no such device");
    }
    if (((Integer) Files.getAttribute(path, "unix:mode") & S_IFMT) != S_IFBLK) {
      throw new UnfitDeviceException(path + ": not a block device");
    }
    if (!HostSpace.isUnused(path)) {
      throw new UnfitDeviceException(path + ": in use, mounted perhaps");
    }
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      if (channel.size() < neededBytes) {
        throw new UnfitDeviceException(
            "%s: has %d bytes, and a pool needs at least %d"
                .formatted(path, channel.size(), neededBytes));
      }
      Optional<String> content = content(channel);
      if (overwrite == Overwrite.REFUSE && content.isPresent()) {
        throw new UnfitDeviceException(
            path + ": holds " + content.get() + ", which would be lost: use --force to overwrite");
      }
    }
  }

  /** What a device holds, by the signatures of its start. */
  static Optional<String> content(FileChannel channel) throws IOException {
    ByteBuffer start = ByteBuffer.allocate(DeviceSignatures.BYTES);
    int count;
    do {
      count = channel.read(start, start.position());
    } while (count > 0);
    String text = new String(start.array(), StandardCharsets.ISO_8859_1);
    return DeviceSignatures.ALL.stream()
        .filter(each -> text.startsWith(each.magic(), each.offset()))
        .map(DeviceSignatures.Signature::content)
        .findFirst();
  }
}
