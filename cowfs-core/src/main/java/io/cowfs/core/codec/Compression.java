package io.cowfs.core.codec;

/** Compression algorithms with their permanent ids. */
public enum Compression {
  NONE(0),
  LZ4(1),
  ZSTD(2);

  private final int id;

  Compression(int id) {
    this.id = id;
  }

  /** The id in the format; never changes. */
  public int id() {
    return id;
  }
}
