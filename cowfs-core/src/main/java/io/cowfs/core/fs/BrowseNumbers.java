package io.cowfs.core.fs;

import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;

/**
 * Inode numbers of what is browsed below {@code .cowfs}: bit 62 marks them, then come 16 bits for
 * the slot that its snapshot has, then the inode's number in the snapshot. Slot 0 has the
 * directories above the snapshots. So nothing here has the number of a live inode, and a file in a
 * snapshot another one than its live twin: programs take two files with equal numbers for one.
 */
final class BrowseNumbers {
  private static final int INODE_BITS = 46;
  private static final long MARK = 1L << 62;
  private static final long INODE_MASK = (1L << INODE_BITS) - 1;

  /** How many slots there are, slot 0 included. */
  static final int SLOTS = 1 << 16;

  /** {@code .cowfs}. */
  static final long CONTROL = MARK | 1;

  /** {@code .cowfs/snapshot}. */
  static final long SNAPSHOTS = MARK | 2;

  /** {@code .cowfs/checkpoint}. */
  static final long CHECKPOINTS = MARK | 3;

  private BrowseNumbers() {}

  static boolean isBrowsed(long number) {
    return (number & MARK) != 0;
  }

  static int slot(long number) {
    return (int) (number >>> INODE_BITS) & SLOTS - 1;
  }

  /** The number within the snapshot. */
  static long inner(long number) {
    return number & INODE_MASK;
  }

  /**
   * @throws FsException OVERFLOW when the snapshot has more inodes than can be browsed
   */
  static long of(int slot, long inner) throws FsException {
    if (inner > INODE_MASK) {
      throw new FsException(FsError.OVERFLOW);
    }
    return MARK | (long) slot << INODE_BITS | inner;
  }

  /** Of the root directory of the snapshot in a slot. */
  static long root(int slot) {
    return MARK | (long) slot << INODE_BITS | FileSystem.ROOT_INODE;
  }
}
