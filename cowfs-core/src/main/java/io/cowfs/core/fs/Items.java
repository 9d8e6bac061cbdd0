package io.cowfs.core.fs;

import com.dynatrace.hash4j.hashing.Hasher64;
import com.dynatrace.hash4j.hashing.Hashing;
import io.cowfs.core.btree.Key;

/** The kinds of items in a dataset's tree, and their keys. The ids are part of the format. */
final class Items {
  static final int INODE = 1;
  static final int BACK_REFERENCE = 2;
  static final int SYMLINK = 3;
  static final int XATTR = 4;
  static final int XATTR_VALUE = 5;
  static final int DIRECTORY_ENTRY = 6;
  static final int INLINE_DATA = 7;
  static final int EXTENT = 8;
  static final int ORPHAN = 9;

  /** A value of an attribute has at most so many chunks, as a power of two. */
  private static final int VALUE_CHUNK_BITS = 8;

  /** Names whose hashes agree in all but these low bits share the slots under one hash. */
  static final int SLOT_MASK = 7;

  /** Cookies below are for {@code .} and {@code ..}. */
  static final long FIRST_COOKIE = 16;

  /** Largest file content kept in the tree, in bytes. */
  static final int INLINE_BYTES_MAX = 2048;

  /** Symbolic link targets and long xattr values are cut into items of this size. */
  static final int CHUNK_BYTES = 2048;

  private static final Hasher64 HASHER = Hashing.xxh3_64();

  private Items() {}

  static Key inode(long inode) {
    return new Key(inode, INODE, 0);
  }

  static Key orphan(long inode) {
    return new Key(0, ORPHAN, inode);
  }

  static Key inlineData(long inode) {
    return new Key(inode, INLINE_DATA, 0);
  }

  /** An extent by the offset in the file at which it begins, in bytes. */
  static Key extent(long inode, long offset) {
    return new Key(inode, EXTENT, offset);
  }

  static Key symlink(long inode, int chunk) {
    return new Key(inode, SYMLINK, chunk);
  }

  static Key xattrValue(long inode, long valueId, int chunk) {
    return new Key(inode, XATTR_VALUE, valueId << VALUE_CHUNK_BITS | chunk);
  }

  /** The number of the value that a chunk belongs to; it is from the same numbers as inodes. */
  static long valueId(Key xattrValue) {
    return xattrValue.low() >>> VALUE_CHUNK_BITS;
  }

  /** The first of the eight slots that a name may be in. It is also a valid readdir cookie. */
  static long firstSlot(byte[] name) {
    long hash = HASHER.hashBytesToLong(name) >>> 1 & ~(long) SLOT_MASK;
    return hash < FIRST_COOKIE ? hash + FIRST_COOKIE : hash;
  }

  /** The first slot of a back reference, which is found by parent and name. */
  static long firstSlot(long parent, byte[] name) {
    long hash =
        HASHER.hashStream().putLong(parent).putBytes(name).getAsLong() >>> 1 & ~(long) SLOT_MASK;
    return hash < FIRST_COOKIE ? hash + FIRST_COOKIE : hash;
  }

  static Key firstOf(long inode) {
    return new Key(inode, 0, 0);
  }

  static Key lastOf(long inode) {
    return new Key(inode, 255, -1L);
  }
}
