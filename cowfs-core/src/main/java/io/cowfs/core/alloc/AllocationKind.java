package io.cowfs.core.alloc;

/** What an allocation is for; each kind has its own place, so that runs of data stay long. */
public enum AllocationKind {
  NODE,
  /** Second copies of nodes. */
  NODE_COPY,
  DATA,
  /** Second copies of data. */
  DATA_COPY,
  /** Third copies of data. */
  DATA_THIRD_COPY
}
