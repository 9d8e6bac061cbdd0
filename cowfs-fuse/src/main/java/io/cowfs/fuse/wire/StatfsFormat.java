package io.cowfs.fuse.wire;

import io.cowfs.core.vfs.FileSystemStatus;
import java.nio.ByteBuffer;

/** {@code fuse_statfs_out}. */
public final class StatfsFormat {
  static final int BLOCKS = 0;
  static final int BLOCKS_FREE = BLOCKS + Long.BYTES;
  static final int BLOCKS_AVAILABLE = BLOCKS_FREE + Long.BYTES;
  static final int FILES = BLOCKS_AVAILABLE + Long.BYTES;
  static final int FILES_FREE = FILES + Long.BYTES;
  static final int BLOCK_SIZE = FILES_FREE + Long.BYTES;
  static final int NAME_LENGTH = BLOCK_SIZE + Integer.BYTES;
  static final int FRAGMENT_SIZE = NAME_LENGTH + Integer.BYTES;
  static final int PADDING = FRAGMENT_SIZE + Integer.BYTES;
  static final int SPARE = PADDING + Integer.BYTES;

  /** Bytes of {@code fuse_statfs_out}. */
  public static final int BYTES = SPARE + 6 * Integer.BYTES;

  private StatfsFormat() {}

  static void put(ByteBuffer buffer, int at, FileSystemStatus status) {
    buffer.putLong(at + BLOCKS, status.blocks());
    buffer.putLong(at + BLOCKS_FREE, status.freeBlocks());
    buffer.putLong(at + BLOCKS_AVAILABLE, status.availableBlocks());
    buffer.putLong(at + FILES, status.files());
    buffer.putLong(at + FILES_FREE, status.freeFiles());
    buffer.putInt(at + BLOCK_SIZE, status.blockSize());
    buffer.putInt(at + NAME_LENGTH, status.nameLengthMax());
    buffer.putInt(at + FRAGMENT_SIZE, status.blockSize());
  }
}
