package io.cowfs.core.block;

/** What a cached block is known by: not by place alone, because places are reused. */
record BlockKey(long sector, long checksum) {}
