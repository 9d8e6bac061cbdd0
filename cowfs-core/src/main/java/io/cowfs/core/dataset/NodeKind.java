package io.cowfs.core.dataset;

/** The two kinds of nodes in the history, with their permanent ids. */
public enum NodeKind {
  HEAD(1),
  SNAPSHOT(2);

  private final int id;

  NodeKind(int id) {
    this.id = id;
  }

  /** The id in the format; never changes. */
  public int id() {
    return id;
  }
}
