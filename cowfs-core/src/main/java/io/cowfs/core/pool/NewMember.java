package io.cowfs.core.pool;

import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.FileDevice;
import io.cowfs.core.device.NewDevice;
import io.cowfs.core.device.NewDevice.Overwrite;
import io.cowfs.core.device.PoolLabel;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * What is to become a device of a mirror: a directory, new or empty, which gets the data as a file,
 * or a block device.
 *
 * @param path absolute
 * @param overwrite what is done about data on a block device
 */
public record NewMember(Path path, Overwrite overwrite) {
  /** An entry of {@code /dev} that is a mistake becomes no directory. */
  private boolean isDirectory() {
    return Files.isDirectory(path) || (!Files.exists(path) && !path.startsWith("/dev"));
  }

  /**
   * Refuses what cannot be taken. Changes nothing.
   *
   * @param neededBytes the least size of a block device
   */
  void requireFit(long neededBytes) throws IOException {
    if (isDirectory()) {
      new PoolPath(path).requireNew();
    } else {
      new NewDevice(path, overwrite).requireFit(neededBytes);
    }
  }

  /**
   * Refuses a directory where none can be. Looks at the path, which may lie on a mount of a pool,
   * so that the process that has it mounted must not be the one that asks.
   */
  public void requireFitHost() throws IOException {
    if (isDirectory()) {
      new PoolPath(path).requireNew();
    }
  }

  /** The most that it can hold; bytes. */
  long capacityBytes() throws IOException {
    if (isDirectory()) {
      return FileDevice.UNLIMITED_BYTES;
    }
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return channel.size();
    }
  }

  /** Takes back what {@link #make} did. */
  interface Undo {
    void run() throws IOException;
  }

  /**
   * Makes the device with a label, and its entry in the pool directory, durably.
   *
   * @param number by which the pool has it
   */
  Undo make(PoolPath pool, int number, PoolLabel label, Environment environment)
      throws IOException {
    long capacity = Pool.capacity(label.capacityBytes());
    if (!isDirectory()) {
      Files.createSymbolicLink(pool.data(number), path);
      try (BlockDevice device = environment.devices().open(pool.data(number), capacity)) {
        writeFront(device, label);
      }
      pool.sync();
      return () -> Files.deleteIfExists(pool.data(number));
    }
    PoolPath directory = new PoolPath(path);
    PoolPath.Origin origin = directory.prepareNew();
    Undo undo =
        () -> {
          Files.deleteIfExists(pool.data(number));
          directory.removeNew(origin);
        };
    try {
      Path file = path.resolve(PoolPath.MEMBER_FILE);
      try (BlockDevice device = environment.devices().create(file, capacity)) {
        writeFront(device, label);
      }
      directory.sync();
      Files.createSymbolicLink(pool.data(number), file);
      pool.sync();
      return undo;
    } catch (IOException failure) {
      undo.run();
      throw failure;
    }
  }

  private static void writeFront(BlockDevice device, PoolLabel label) throws IOException {
    FrontOfDevice.clear(device);
    label.write(device);
    FrontOfDevice.reserve(device);
    device.sync();
  }
}
