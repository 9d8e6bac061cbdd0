package io.cowfs.core.dataset;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The parts of LMDB's file format, version 1 on a 64-bit little-endian machine, that {@link
 * IndexPageCheck} reads: the structures MDB_page, MDB_node, MDB_db and MDB_meta of LMDB's {@code
 * mdb.c}.
 */
final class IndexPageFormat {
  static final int META_PAGES = 2;
  static final int PAGE_BYTES_MIN = 4096;
  static final int PAGE_BYTES_MAX = 32768;

  static final int PAGE_NUMBER = 0;
  static final int PAGE_PAD = PAGE_NUMBER + Long.BYTES;
  static final int PAGE_FLAGS = PAGE_PAD + Short.BYTES;
  static final int PAGE_LOWER = PAGE_FLAGS + Short.BYTES;
  static final int PAGE_UPPER = PAGE_LOWER + Short.BYTES;

  /** Of an overflow page, in place of the bounds. */
  static final int OVERFLOW_PAGES = PAGE_LOWER;

  static final int PAGE_HEADER_BYTES = PAGE_UPPER + Short.BYTES;

  static final int FLAG_BRANCH = 0x01;
  static final int FLAG_LEAF = 0x02;
  static final int FLAG_OVERFLOW = 0x04;
  static final int FLAG_META = 0x08;

  static final int NODE_SIZE_LOW = 0;
  static final int NODE_SIZE_HIGH = NODE_SIZE_LOW + Short.BYTES;
  static final int NODE_FLAGS = NODE_SIZE_HIGH + Short.BYTES;
  static final int NODE_KEY_SIZE = NODE_FLAGS + Short.BYTES;
  static final int NODE_HEADER_BYTES = NODE_KEY_SIZE + Short.BYTES;

  static final int NODE_BIG_DATA = 0x01;
  static final int NODE_SUB_DATABASE = 0x02;

  static final int DATABASE_PAD = 0;
  static final int DATABASE_FLAGS = DATABASE_PAD + Integer.BYTES;
  static final int DATABASE_DEPTH = DATABASE_FLAGS + Short.BYTES;
  static final int DATABASE_BRANCH_PAGES = DATABASE_DEPTH + Short.BYTES;
  static final int DATABASE_LEAF_PAGES = DATABASE_BRANCH_PAGES + Long.BYTES;
  static final int DATABASE_OVERFLOW_PAGES = DATABASE_LEAF_PAGES + Long.BYTES;
  static final int DATABASE_ENTRIES = DATABASE_OVERFLOW_PAGES + Long.BYTES;
  static final int DATABASE_ROOT = DATABASE_ENTRIES + Long.BYTES;
  static final int DATABASE_BYTES = DATABASE_ROOT + Long.BYTES;

  /** The flag of the database of free pages: keys are numbers. */
  static final int DATABASE_INTEGER_KEY = 0x08;

  static final long NO_ROOT = -1;
  static final int DEPTH_MAX = 32;
  static final int KEY_BYTES_MAX = 511;

  static final int META_MAGIC = PAGE_HEADER_BYTES;
  static final int META_VERSION = META_MAGIC + Integer.BYTES;
  static final int META_ADDRESS = META_VERSION + Integer.BYTES;
  static final int META_MAP_BYTES = META_ADDRESS + Long.BYTES;
  static final int META_FREE_DATABASE = META_MAP_BYTES + Long.BYTES;
  static final int META_MAIN_DATABASE = META_FREE_DATABASE + DATABASE_BYTES;
  static final int META_LAST_PAGE = META_MAIN_DATABASE + DATABASE_BYTES;
  static final int META_TXN = META_LAST_PAGE + Long.BYTES;
  static final int META_END = META_TXN + Long.BYTES;

  static final int MAGIC_VALUE = 0xBEEFC0DE;
  static final int VERSION_VALUE = 1;

  private IndexPageFormat() {}

  /** MDB_db: a B+tree of the file. */
  record Database(
      int pad,
      int flags,
      int depth,
      long branchPages,
      long leafPages,
      long overflowPages,
      long entries,
      long root) {

    static Database decode(ByteBuffer page, int at) {
      return new Database(
          page.getInt(at + DATABASE_PAD),
          Short.toUnsignedInt(page.getShort(at + DATABASE_FLAGS)),
          Short.toUnsignedInt(page.getShort(at + DATABASE_DEPTH)),
          page.getLong(at + DATABASE_BRANCH_PAGES),
          page.getLong(at + DATABASE_LEAF_PAGES),
          page.getLong(at + DATABASE_OVERFLOW_PAGES),
          page.getLong(at + DATABASE_ENTRIES),
          page.getLong(at + DATABASE_ROOT));
    }
  }

  /** MDB_meta: where one state of the file begins. */
  record Meta(long address, long mapBytes, Database free, Database main, long lastPage, long txn) {

    static Meta decode(ByteBuffer page) {
      return new Meta(
          page.getLong(META_ADDRESS),
          page.getLong(META_MAP_BYTES),
          Database.decode(page, META_FREE_DATABASE),
          Database.decode(page, META_MAIN_DATABASE),
          page.getLong(META_LAST_PAGE),
          page.getLong(META_TXN));
    }

    int pageBytes() {
      return free.pad();
    }
  }

  static ByteBuffer newPage(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  static int flags(ByteBuffer page) {
    return unsignedShort(page, PAGE_FLAGS);
  }

  static int nodeCount(ByteBuffer page) {
    return (unsignedShort(page, PAGE_LOWER) - PAGE_HEADER_BYTES) / Short.BYTES;
  }

  /** Offset of a node in its page. */
  static int node(ByteBuffer page, int index) {
    return unsignedShort(page, PAGE_HEADER_BYTES + index * Short.BYTES);
  }

  static int nodeFlags(ByteBuffer page, int node) {
    return unsignedShort(page, node + NODE_FLAGS);
  }

  static int keySize(ByteBuffer page, int node) {
    return unsignedShort(page, node + NODE_KEY_SIZE);
  }

  /** Of a node in a leaf. */
  static long dataSize(ByteBuffer page, int node) {
    return Integer.toUnsignedLong(page.getInt(node + NODE_SIZE_LOW));
  }

  /** Of a node in a branch page; 48 bits. */
  static long child(ByteBuffer page, int node) {
    return Integer.toUnsignedLong(page.getInt(node + NODE_SIZE_LOW))
        | (long) nodeFlags(page, node) << 32;
  }

  static int unsignedShort(ByteBuffer page, int at) {
    return Short.toUnsignedInt(page.getShort(at));
  }
}
