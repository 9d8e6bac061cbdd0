package io.cowfs.tools.command;

import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.pool.ChangeVisitor;
import io.cowfs.core.pool.Pool;
import io.cowfs.core.pool.PoolStatus;
import java.io.IOException;
import java.util.List;

/** What is the same for every process that has the pool open. Thread-safe, as the pool is. */
public abstract class OpenPoolSession implements PoolSession {
  private final Pool pool;

  /** The pool stays the caller's to close. */
  protected OpenPoolSession(Pool pool) {
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
  public void diff(String dataset, String from, String to, ChangeVisitor visitor)
      throws IOException {
    pool.diff(dataset, from, to, visitor);
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
}
