package io.cowfs.core.alloc;

/**
 * The allocated sectors of one region as persisted.
 *
 * @param region number of the region: sector / 32,768
 * @param bits 4,096 bytes; sector s is bit {@code s % 8} of byte {@code s / 8}; not shared
 */
@SuppressWarnings("ArrayRecordComponent")
public record RegionBitmap(int region, byte[] bits) {}
