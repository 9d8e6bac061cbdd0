package io.cowfs.tools.command;

import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.pool.ChangeVisitor;
import io.cowfs.core.pool.Defragmenter;
import io.cowfs.core.pool.Fragmentation;
import io.cowfs.core.pool.Pool;
import io.cowfs.core.pool.PoolAdministration;
import io.cowfs.core.pool.PoolMirror;
import io.cowfs.core.pool.PoolStatus;
import io.cowfs.core.scrub.Scrub;
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
  public PoolAdministration administration() {
    return pool.administration();
  }

  @Override
  public List<String> check() throws IOException {
    return pool.audit();
  }

  @Override
  public PoolMirror mirror() {
    return pool.mirror();
  }

  @Override
  public Scrub scrub() {
    return pool.scrub();
  }

  @Override
  public void diff(String dataset, String from, String to, ChangeVisitor visitor)
      throws IOException {
    pool.diff(dataset, from, to, visitor);
  }

  @Override
  public Fragmentation fragmentation(String dataset, byte[] path) throws IOException {
    return dataset == null ? pool.fragmentation() : pool.fragmentation(dataset, path);
  }

  @Override
  public Defragmenter defragmenter() {
    return pool.defragmenter();
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
