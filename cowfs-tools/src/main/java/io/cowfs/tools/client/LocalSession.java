package io.cowfs.tools.client;

import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.pool.Pool;
import io.cowfs.core.pool.PoolStatus;
import io.cowfs.tools.command.PoolSession;
import io.cowfs.tools.target.CowfsMount;
import java.io.IOException;
import java.util.List;

/** A pool that this process opened for one command; nothing of it is mounted. */
final class LocalSession implements PoolSession {
  private final Pool pool;

  LocalSession(Pool pool) {
    this.pool = pool;
  }

  @Override
  public List<DatasetInfo> list() throws IOException {
    return pool.list();
  }

  @Override
  public void createDataset(String dataset) throws IOException {
    pool.createDataset(dataset);
  }

  @Override
  public void snapshot(String dataset, String snapshot) throws IOException {
    pool.snapshot(dataset, snapshot);
  }

  @Override
  public String rollback(String dataset, String snapshot) throws IOException {
    return pool.rollback(dataset, snapshot);
  }

  @Override
  public void destroyDataset(String dataset, boolean recursive) throws IOException {
    pool.destroy(dataset, null, recursive);
  }

  @Override
  public void destroySnapshot(String dataset, String snapshot) throws IOException {
    pool.destroy(dataset, snapshot, false);
  }

  @Override
  public void sync() throws IOException {
    pool.sync();
  }

  @Override
  public PoolStatus status() throws IOException {
    return pool.status();
  }

  @Override
  public List<CowfsMount> mounts() {
    return List.of();
  }

  @Override
  public void mount(MountRequest request) throws IOException {
    throw new IOException("only a daemon mounts");
  }

  @Override
  public void unmount(List<CowfsMount> mounts) throws IOException {
    throw new IOException("nothing is mounted");
  }
}
