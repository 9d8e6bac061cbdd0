package io.cowfs.core.pool;

import io.cowfs.core.block.CacheLimits;
import io.cowfs.core.txg.DirtyLimit;

/** How much memory an open pool may take. */
public enum MemoryUse {
  NORMAL,
  /** For small machines: less is cached, and less gathered before it is written. */
  SMALL;

  DirtyLimit limit() {
    return this == SMALL ? DirtyLimit.SMALL : DirtyLimit.DEFAULT;
  }

  CacheLimits caches() {
    return this == SMALL ? CacheLimits.SMALL : CacheLimits.DEFAULT;
  }
}
