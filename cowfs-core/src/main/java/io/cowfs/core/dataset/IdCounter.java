package io.cowfs.core.dataset;

/**
 * Gives ids to deadlists, lists of references, and destructions; none is given twice in the life of
 * a pool. Owned by the sync thread.
 */
final class IdCounter {
  private long next;

  IdCounter(long next) {
    this.next = next;
  }

  long take() {
    return next++;
  }

  /** The first id that was never given. */
  long next() {
    return next;
  }
}
