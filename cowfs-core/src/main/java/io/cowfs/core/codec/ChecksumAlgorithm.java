package io.cowfs.core.codec;

/** Checksum algorithms with their permanent ids. */
public enum ChecksumAlgorithm {
  CRC32C(1),
  XXH3_64(2);

  private final int id;

  ChecksumAlgorithm(int id) {
    this.id = id;
  }

  /** The id in the format; never changes. */
  public int id() {
    return id;
  }
}
