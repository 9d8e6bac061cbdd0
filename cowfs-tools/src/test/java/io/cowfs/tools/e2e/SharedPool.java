package io.cowfs.tools.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * One mounted pool for the tests of a class, each of which gets an empty dataset of it: starting a
 * daemon costs more than most of them. Owned by one class, whose tests run one after the other. A
 * test whose daemon has ended fails by itself, and the next one gets a new pool.
 */
final class SharedPool implements AutoCloseable {
  private final Path directory;
  private MountedPool pool;
  private int pools;
  private int datasets;

  /**
   * @param directory where pools and mount points are made
   */
  SharedPool(Path directory) {
    this.directory = directory;
  }

  /** A new dataset, mounted. */
  MountedDataset dataset() throws IOException {
    if (pool == null || !pool.isMounted() || pool.daemonPid().isEmpty()) {
      close();
      pool = MountedPool.create(Files.createDirectory(directory.resolve("pool" + pools++)));
    }
    String name = "test" + datasets++;
    pool.succeed("create", pool.pool() + "/" + name);
    Path root = Files.createDirectory(directory.resolve(name));
    return new MountedDataset(pool, name, root);
  }

  /** Unmounts the pool, if there is one. */
  @Override
  public void close() throws IOException {
    if (pool != null) {
      MountedPool last = pool;
      pool = null;
      last.close();
    }
  }
}
