package io.cowfs.core.pool;

/**
 * What was done to bring a path back, in directory entries.
 *
 * @param changed have another content or other attributes
 * @param added were missing
 * @param removed are not in the snapshot
 */
public record Restoration(long changed, long added, long removed) {}
