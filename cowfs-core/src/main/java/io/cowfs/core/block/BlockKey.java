package io.cowfs.core.block;

/** What a cached block is known by: not by place alone, because places are reused. */
record BlockKey(long sector, long checksum) {
  // Written out: what a record would have is made at run time, slowly, by each daemon that starts.
  @Override
  public boolean equals(Object other) {
    return other instanceof BlockKey key && key.sector == sector && key.checksum == checksum;
  }

  @Override
  public int hashCode() {
    return 31 * Long.hashCode(sector) + Long.hashCode(checksum);
  }
}
