package io.cowfs.core.block;

/**
 * How much the caches of a {@link BlockStore} may hold, in bytes of content.
 *
 * @param nodeBytes tree nodes
 * @param extentBytes decompressed extents
 */
public record CacheLimits(long nodeBytes, long extentBytes) {
  public static final CacheLimits DEFAULT = new CacheLimits(64L << 20, 16L << 20);

  /** For a process that is to get along with little. */
  public static final CacheLimits SMALL = new CacheLimits(16L << 20, 4L << 20);
}
