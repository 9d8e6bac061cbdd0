package io.cowfs.core.dataset;

/** The kinds of nodes in the history, with their permanent ids. */
public enum NodeKind {
  HEAD(1),
  /** Taken by somebody, or on a schedule. */
  SNAPSHOT(2),
  /** A root that was kept when it was committed, for some time; a snapshot in all else. */
  CHECKPOINT(3);

  private final int id;

  NodeKind(int id) {
    this.id = id;
  }

  /** The id in the format; never changes. */
  public int id() {
    return id;
  }
}
