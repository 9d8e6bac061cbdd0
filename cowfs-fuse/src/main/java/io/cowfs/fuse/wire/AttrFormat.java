package io.cowfs.fuse.wire;

import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.Timestamp;
import java.nio.ByteBuffer;

/**
 * {@code fuse_attr} and the structures around it: {@code fuse_entry_out}, {@code fuse_attr_out},
 * {@code fuse_getattr_in}, {@code fuse_setattr_in}.
 */
public final class AttrFormat {
  static final int ATTR_INODE = 0;
  static final int ATTR_SIZE = ATTR_INODE + Long.BYTES;
  static final int ATTR_BLOCKS = ATTR_SIZE + Long.BYTES;
  static final int ATTR_ATIME = ATTR_BLOCKS + Long.BYTES;
  static final int ATTR_MTIME = ATTR_ATIME + Long.BYTES;
  static final int ATTR_CTIME = ATTR_MTIME + Long.BYTES;
  static final int ATTR_ATIME_NANOS = ATTR_CTIME + Long.BYTES;
  static final int ATTR_MTIME_NANOS = ATTR_ATIME_NANOS + Integer.BYTES;
  static final int ATTR_CTIME_NANOS = ATTR_MTIME_NANOS + Integer.BYTES;
  static final int ATTR_MODE = ATTR_CTIME_NANOS + Integer.BYTES;
  static final int ATTR_NLINK = ATTR_MODE + Integer.BYTES;
  static final int ATTR_UID = ATTR_NLINK + Integer.BYTES;
  static final int ATTR_GID = ATTR_UID + Integer.BYTES;
  static final int ATTR_RDEV = ATTR_GID + Integer.BYTES;
  static final int ATTR_BLOCK_SIZE = ATTR_RDEV + Integer.BYTES;
  static final int ATTR_FLAGS = ATTR_BLOCK_SIZE + Integer.BYTES;
  static final int ATTR_BYTES = ATTR_FLAGS + Integer.BYTES;

  static final int ENTRY_NODE_ID = 0;
  static final int ENTRY_GENERATION = ENTRY_NODE_ID + Long.BYTES;
  static final int ENTRY_VALID = ENTRY_GENERATION + Long.BYTES;
  static final int ENTRY_ATTR_VALID = ENTRY_VALID + Long.BYTES;
  static final int ENTRY_VALID_NANOS = ENTRY_ATTR_VALID + Long.BYTES;
  static final int ENTRY_ATTR_VALID_NANOS = ENTRY_VALID_NANOS + Integer.BYTES;
  static final int ENTRY_ATTR = ENTRY_ATTR_VALID_NANOS + Integer.BYTES;

  /** Bytes of {@code fuse_entry_out}. */
  public static final int ENTRY_BYTES = ENTRY_ATTR + ATTR_BYTES;

  static final int OUT_VALID = 0;
  static final int OUT_VALID_NANOS = OUT_VALID + Long.BYTES;
  static final int OUT_DUMMY = OUT_VALID_NANOS + Integer.BYTES;
  static final int OUT_ATTR = OUT_DUMMY + Integer.BYTES;

  /** Bytes of {@code fuse_attr_out}. */
  public static final int OUT_BYTES = OUT_ATTR + ATTR_BYTES;

  public static final int GET_FLAGS = 0;
  static final int GET_DUMMY = GET_FLAGS + Integer.BYTES;
  public static final int GET_HANDLE = GET_DUMMY + Integer.BYTES;

  /** In GET_FLAGS: the attributes of the file behind GET_HANDLE are asked for. */
  public static final int GET_BY_HANDLE = 1;

  /** Bytes of {@code fuse_getattr_in}. */
  public static final int GET_BYTES = GET_HANDLE + Long.BYTES;

  public static final int SET_VALID = 0;
  static final int SET_PADDING = SET_VALID + Integer.BYTES;
  public static final int SET_HANDLE = SET_PADDING + Integer.BYTES;
  public static final int SET_SIZE = SET_HANDLE + Long.BYTES;
  static final int SET_LOCK_OWNER = SET_SIZE + Long.BYTES;
  public static final int SET_ATIME = SET_LOCK_OWNER + Long.BYTES;
  public static final int SET_MTIME = SET_ATIME + Long.BYTES;
  public static final int SET_CTIME = SET_MTIME + Long.BYTES;
  public static final int SET_ATIME_NANOS = SET_CTIME + Long.BYTES;
  public static final int SET_MTIME_NANOS = SET_ATIME_NANOS + Integer.BYTES;
  public static final int SET_CTIME_NANOS = SET_MTIME_NANOS + Integer.BYTES;
  public static final int SET_MODE = SET_CTIME_NANOS + Integer.BYTES;
  static final int SET_UNUSED4 = SET_MODE + Integer.BYTES;
  public static final int SET_UID = SET_UNUSED4 + Integer.BYTES;
  public static final int SET_GID = SET_UID + Integer.BYTES;
  static final int SET_UNUSED5 = SET_GID + Integer.BYTES;

  /** Bytes of {@code fuse_setattr_in}. */
  public static final int SET_BYTES = SET_UNUSED5 + Integer.BYTES;

  /* Bits of SET_VALID. */
  public static final int VALID_MODE = 1 << 0;
  public static final int VALID_UID = 1 << 1;
  public static final int VALID_GID = 1 << 2;
  public static final int VALID_SIZE = 1 << 3;
  public static final int VALID_ATIME = 1 << 4;
  public static final int VALID_MTIME = 1 << 5;
  public static final int VALID_HANDLE = 1 << 6;
  public static final int VALID_ATIME_NOW = 1 << 7;
  public static final int VALID_MTIME_NOW = 1 << 8;
  public static final int VALID_CTIME = 1 << 10;
  public static final int VALID_KILL_SUIDGID = 1 << 11;

  /** What {@code st_blksize} shows. */
  static final int PREFERRED_IO_BYTES = 4096;

  /** The unit of {@code st_blocks}. */
  static final int STAT_BLOCK_BYTES = 512;

  private static final long ROOT_NODE_ID = 1;

  private AttrFormat() {}

  /** Puts a {@code fuse_entry_out} into zeroed bytes. */
  static void putEntry(
      ByteBuffer buffer, int at, Attributes attributes, Lifetime ofName, Lifetime ofAttributes) {
    buffer.putLong(at + ENTRY_NODE_ID, attributes.inode());
    // The kernel made its root inode itself, with generation 0.
    long generation = attributes.inode() == ROOT_NODE_ID ? 0 : attributes.generation();
    buffer.putLong(at + ENTRY_GENERATION, generation);
    buffer.putLong(at + ENTRY_VALID, ofName.seconds());
    buffer.putLong(at + ENTRY_ATTR_VALID, ofAttributes.seconds());
    putAttr(buffer, at + ENTRY_ATTR, attributes);
  }

  /** Puts a {@code fuse_entry_out} without an inode into zeroed bytes. */
  static void putNoEntry(ByteBuffer buffer, int at, Lifetime lifetime) {
    buffer.putLong(at + ENTRY_VALID, lifetime.seconds());
  }

  /** Puts a {@code fuse_attr_out} into zeroed bytes. */
  static void putAttrOut(ByteBuffer buffer, int at, Attributes attributes, Lifetime lifetime) {
    buffer.putLong(at + OUT_VALID, lifetime.seconds());
    putAttr(buffer, at + OUT_ATTR, attributes);
  }

  private static void putAttr(ByteBuffer buffer, int at, Attributes attributes) {
    buffer.putLong(at + ATTR_INODE, attributes.inode());
    buffer.putLong(at + ATTR_SIZE, attributes.size());
    buffer.putLong(at + ATTR_BLOCKS, attributes.allocatedBytes() / STAT_BLOCK_BYTES);
    putTime(buffer, at + ATTR_ATIME, at + ATTR_ATIME_NANOS, attributes.atime());
    putTime(buffer, at + ATTR_MTIME, at + ATTR_MTIME_NANOS, attributes.mtime());
    putTime(buffer, at + ATTR_CTIME, at + ATTR_CTIME_NANOS, attributes.ctime());
    buffer.putInt(at + ATTR_MODE, attributes.mode());
    buffer.putInt(at + ATTR_NLINK, attributes.nlink());
    buffer.putInt(at + ATTR_UID, attributes.uid());
    buffer.putInt(at + ATTR_GID, attributes.gid());
    buffer.putInt(at + ATTR_RDEV, attributes.rdev());
    buffer.putInt(at + ATTR_BLOCK_SIZE, PREFERRED_IO_BYTES);
  }

  private static void putTime(ByteBuffer buffer, int secondsAt, int nanosAt, Timestamp time) {
    buffer.putLong(secondsAt, time.seconds());
    buffer.putInt(nanosAt, time.nanos());
  }
}
