package io.cowfs.tools.posix;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;

/**
 * What statx(2) tells.
 *
 * @param mode permission bits and the type of the file
 * @param blocks in units of 512 bytes
 * @param btime null where the file system tells none
 */
record Stat(
    long device,
    long ino,
    int mode,
    int nlink,
    int uid,
    int gid,
    int rdevMajor,
    int rdevMinor,
    long size,
    long blocks,
    int blksize,
    Instant atime,
    Instant mtime,
    Instant ctime,
    Instant btime) {
  /** Bytes of {@code struct statx}, which is the same on all architectures. */
  static final int BYTES = 256;

  /** All that stat(2) tells, and the time of birth. */
  static final int WANTED = 0xfff;

  private static final int HAS_BTIME = 0x800;

  static Stat of(ByteBuffer result) {
    ByteBuffer b = result.order(ByteOrder.nativeOrder());
    boolean born = (b.getInt(0) & HAS_BTIME) != 0;
    return new Stat(
        ((long) b.getInt(136) << Integer.SIZE) | b.getInt(140),
        b.getLong(32),
        Short.toUnsignedInt(b.getShort(28)),
        b.getInt(16),
        b.getInt(20),
        b.getInt(24),
        b.getInt(128),
        b.getInt(132),
        b.getLong(40),
        b.getLong(48),
        b.getInt(4),
        time(b, 64),
        time(b, 112),
        time(b, 96),
        born ? time(b, 80) : null);
  }

  private static Instant time(ByteBuffer b, int at) {
    return Instant.ofEpochSecond(b.getLong(at), b.getInt(at + Long.BYTES));
  }

  /** The bits that chmod(2) sets. */
  int permissions() {
    return mode & 07777;
  }

  /** One of the S_IF constants. */
  int type() {
    return mode & Linux.S_IFMT;
  }
}
