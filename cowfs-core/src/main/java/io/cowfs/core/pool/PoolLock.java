package io.cowfs.core.pool;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The hold of this process on a pool. The kernel's lock is the process's, and is dropped when any
 * descriptor of the lock file is closed: so a second opening within the process is kept out before
 * it has a descriptor. Thread-safe.
 */
final class PoolLock implements Closeable {
  private static final Set<Path> HELD_HERE = ConcurrentHashMap.newKeySet();

  private final Path file;
  private final FileChannel channel;

  private PoolLock(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /** Returns null when the pool is held already, by this process or another. */
  static PoolLock tryLock(Path lockFile) throws IOException {
    Path file = lockFile.getParent().toRealPath().resolve(lockFile.getFileName());
    if (!HELD_HERE.add(file)) {
      return null;
    }
    FileChannel channel = null;
    boolean locked = false;
    try {
      channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      locked = channel.tryLock() != null;
      return locked ? new PoolLock(file, channel) : null;
    } finally {
      if (!locked) {
        if (channel != null) {
          channel.close();
        }
        HELD_HERE.remove(file);
      }
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
    HELD_HERE.remove(file);
  }
}
