package io.cowfs.fuse.wire;

import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.Timestamp;
import java.nio.ByteBuffer;

/** {@code fuse_statx_in}, {@code fuse_statx_out} with its {@code fuse_statx}. */
public final class StatxFormat {
  static final int IN_GETATTR_FLAGS = 0;
  static final int IN_RESERVED = IN_GETATTR_FLAGS + Integer.BYTES;
  static final int IN_HANDLE = IN_RESERVED + Integer.BYTES;
  static final int IN_FLAGS = IN_HANDLE + Long.BYTES;
  static final int IN_MASK = IN_FLAGS + Integer.BYTES;

  /** Bytes of {@code fuse_statx_in}. */
  public static final int IN_BYTES = IN_MASK + Integer.BYTES;

  static final int OUT_VALID = 0;
  static final int OUT_VALID_NANOS = OUT_VALID + Long.BYTES;
  static final int OUT_FLAGS = OUT_VALID_NANOS + Integer.BYTES;
  static final int OUT_SPARE = OUT_FLAGS + Integer.BYTES;
  static final int OUT_STAT = OUT_SPARE + 2 * Long.BYTES;

  /* fuse_sx_time. */
  static final int TIME_SECONDS = 0;
  static final int TIME_NANOS = TIME_SECONDS + Long.BYTES;
  static final int TIME_RESERVED = TIME_NANOS + Integer.BYTES;
  static final int TIME_BYTES = TIME_RESERVED + Integer.BYTES;

  static final int STAT_MASK = 0;
  static final int STAT_BLOCK_SIZE = STAT_MASK + Integer.BYTES;
  static final int STAT_ATTRIBUTES = STAT_BLOCK_SIZE + Integer.BYTES;
  static final int STAT_NLINK = STAT_ATTRIBUTES + Long.BYTES;
  static final int STAT_UID = STAT_NLINK + Integer.BYTES;
  static final int STAT_GID = STAT_UID + Integer.BYTES;
  static final int STAT_MODE = STAT_GID + Integer.BYTES;
  static final int STAT_SPARE0 = STAT_MODE + Short.BYTES;
  static final int STAT_INODE = STAT_SPARE0 + Short.BYTES;
  static final int STAT_SIZE = STAT_INODE + Long.BYTES;
  static final int STAT_BLOCKS = STAT_SIZE + Long.BYTES;
  static final int STAT_ATTRIBUTES_MASK = STAT_BLOCKS + Long.BYTES;
  static final int STAT_ATIME = STAT_ATTRIBUTES_MASK + Long.BYTES;
  static final int STAT_BTIME = STAT_ATIME + TIME_BYTES;
  static final int STAT_CTIME = STAT_BTIME + TIME_BYTES;
  static final int STAT_MTIME = STAT_CTIME + TIME_BYTES;
  static final int STAT_RDEV_MAJOR = STAT_MTIME + TIME_BYTES;
  static final int STAT_RDEV_MINOR = STAT_RDEV_MAJOR + Integer.BYTES;
  static final int STAT_DEV_MAJOR = STAT_RDEV_MINOR + Integer.BYTES;
  static final int STAT_DEV_MINOR = STAT_DEV_MAJOR + Integer.BYTES;
  static final int STAT_SPARE2 = STAT_DEV_MINOR + Integer.BYTES;

  /** Bytes of {@code fuse_statx_out}. */
  public static final int OUT_BYTES = OUT_STAT + STAT_SPARE2 + 14 * Long.BYTES;

  /** STATX_BASIC_STATS and STATX_BTIME. */
  private static final int MASK = 0x7ff | 0x800;

  private StatxFormat() {}

  /** Puts a {@code fuse_statx_out} into zeroed bytes. */
  static void put(ByteBuffer buffer, int at, Attributes attributes, Lifetime lifetime) {
    buffer.putLong(at + OUT_VALID, lifetime.seconds());
    int stat = at + OUT_STAT;
    buffer.putInt(stat + STAT_MASK, MASK);
    buffer.putInt(stat + STAT_BLOCK_SIZE, AttrFormat.PREFERRED_IO_BYTES);
    buffer.putInt(stat + STAT_NLINK, attributes.nlink());
    buffer.putInt(stat + STAT_UID, attributes.uid());
    buffer.putInt(stat + STAT_GID, attributes.gid());
    buffer.putShort(stat + STAT_MODE, (short) attributes.mode());
    buffer.putLong(stat + STAT_INODE, attributes.inode());
    buffer.putLong(stat + STAT_SIZE, attributes.size());
    buffer.putLong(stat + STAT_BLOCKS, attributes.allocatedBytes() / AttrFormat.STAT_BLOCK_BYTES);
    putTime(buffer, stat + STAT_ATIME, attributes.atime());
    putTime(buffer, stat + STAT_BTIME, attributes.btime());
    putTime(buffer, stat + STAT_CTIME, attributes.ctime());
    putTime(buffer, stat + STAT_MTIME, attributes.mtime());
    // The kernel's new_encode_dev: 12 bits of the major number between those of the minor one.
    int rdev = attributes.rdev();
    buffer.putInt(stat + STAT_RDEV_MAJOR, rdev >>> 8 & 0xfff);
    buffer.putInt(stat + STAT_RDEV_MINOR, (rdev & 0xff) | (rdev >>> 12 & 0xfff00));
  }

  private static void putTime(ByteBuffer buffer, int at, Timestamp time) {
    buffer.putLong(at + TIME_SECONDS, time.seconds());
    buffer.putInt(at + TIME_NANOS, time.nanos());
  }
}
