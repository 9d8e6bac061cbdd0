package io.cowfs.core.vfs;

/**
 * What statfs(2) shows.
 *
 * @param blockSize in bytes
 * @param blocks total, in blocks
 * @param freeBlocks free, including what is held in reserve
 * @param availableBlocks free to unprivileged writers
 * @param nameLengthMax in bytes
 */
public record FileSystemStatus(
    int blockSize,
    long blocks,
    long freeBlocks,
    long availableBlocks,
    long files,
    long freeFiles,
    int nameLengthMax) {}
