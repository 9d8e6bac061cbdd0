package io.cowfs.core.fs;

import io.cowfs.core.block.CorruptBlockException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** The value of an inode item. Little-endian. */
final class InodeFormat {
  static final int MODE = 0;
  static final int UID = MODE + Integer.BYTES;
  static final int GID = UID + Integer.BYTES;
  static final int NLINK = GID + Integer.BYTES;
  static final int RDEV = NLINK + Integer.BYTES;
  static final int FLAGS = RDEV + Integer.BYTES;
  static final int SIZE = FLAGS + Integer.BYTES;
  static final int ALLOCATED_SECTORS = SIZE + Long.BYTES;
  static final int GENERATION = ALLOCATED_SECTORS + Long.BYTES;
  static final int ATIME_SECONDS = GENERATION + Long.BYTES;
  static final int MTIME_SECONDS = ATIME_SECONDS + Long.BYTES;
  static final int CTIME_SECONDS = MTIME_SECONDS + Long.BYTES;
  static final int BTIME_SECONDS = CTIME_SECONDS + Long.BYTES;
  static final int ATIME_NANOS = BTIME_SECONDS + Long.BYTES;
  static final int MTIME_NANOS = ATIME_NANOS + Integer.BYTES;
  static final int CTIME_NANOS = MTIME_NANOS + Integer.BYTES;
  static final int BTIME_NANOS = CTIME_NANOS + Integer.BYTES;
  static final int BYTES = BTIME_NANOS + Integer.BYTES;

  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private InodeFormat() {}

  static void check(long inode, byte[] value) throws CorruptBlockException {
    if (value.length != BYTES) {
      throw new CorruptBlockException(
          "inode " + inode + ": item of " + value.length + " bytes, expected " + BYTES);
    }
  }

  static int getInt(byte[] value, int field) {
    return (int) INT.get(value, field);
  }

  static long getLong(byte[] value, int field) {
    return (long) LONG.get(value, field);
  }

  static void putInt(byte[] value, int field, int number) {
    INT.set(value, field, number);
  }

  static void putLong(byte[] value, int field, long number) {
    LONG.set(value, field, number);
  }

  /** A copy of an inode item that is equal to others which differ in their access time only. */
  static byte[] withoutAccessTime(byte[] value) {
    byte[] changed = value.clone();
    putLong(changed, ATIME_SECONDS, 0);
    putInt(changed, ATIME_NANOS, 0);
    return changed;
  }

  /** A copy of an inode item with another count of allocated sectors. */
  static byte[] withAllocatedSectors(byte[] value, long sectors) {
    byte[] changed = value.clone();
    putLong(changed, ALLOCATED_SECTORS, sectors);
    return changed;
  }
}
