package io.cowfs.core.dataset;

import io.cowfs.core.dataset.IndexPageCheck.BadPageException;
import io.cowfs.core.dataset.IndexPageFormat.Database;
import io.cowfs.core.dataset.IndexPageFormat.Meta;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;

/** Checks everything that one meta page reaches. Used by one thread, once. */
final class IndexSnapshotCheck {
  private final IndexPages pages;
  private final Meta meta;

  /** Pages that are used by a database. */
  private final BitSet used = new BitSet();

  /** Pages that are free. */
  private final BitSet free = new BitSet();

  /** Those of the free pages that this state's own transaction has freed. */
  private final BitSet freedLast = new BitSet();

  IndexSnapshotCheck(IndexPages pages, Meta meta) {
    this.pages = pages;
    this.meta = meta;
  }

  /** What a database is, as far as the rules differ. */
  private enum Kind {
    FREE,
    MAIN,
    NAMED
  }

  /** Walks one database and counts. */
  private final class Walk {
    private final Kind kind;
    private final Database database;
    private long branchPages;
    private long leafPages;
    private long overflowPages;
    private long entries;

    Walk(Kind kind, Database database) {
      this.kind = kind;
      this.database = database;
    }

    void check() throws IOException, BadPageException {
      int flags = kind == Kind.FREE ? IndexPageFormat.DATABASE_INTEGER_KEY : 0;
      if (database.flags() != flags || (kind != Kind.FREE && database.pad() != 0)) {
        throw new BadPageException("a database has unknown flags " + database.flags());
      }
      boolean isEmpty = database.root() == IndexPageFormat.NO_ROOT;
      if (database.depth() > IndexPageFormat.DEPTH_MAX || isEmpty != (database.depth() == 0)) {
        throw new BadPageException("a database of depth " + database.depth());
      }
      if (!isEmpty) {
        walk(database.root(), 1, null, null);
      }
      if (branchPages != database.branchPages()
          || leafPages != database.leafPages()
          || overflowPages != database.overflowPages()
          || entries != database.entries()) {
        throw new BadPageException("a database counts its pages or entries wrong");
      }
    }

    /** Checks a page and all below it; its keys are from {@code lower} on and below the other. */
    private void walk(long number, int depth, byte[] lower, byte[] upper)
        throws IOException, BadPageException {
      meet(number, used);
      ByteBuffer page = pages.read(number);
      boolean isLeaf = depth == database.depth();
      checkNodes(number, page, isLeaf);
      checkKeys(number, page, isLeaf, lower, upper);
      if (isLeaf) {
        leafPages++;
        checkItems(number, page);
      } else {
        branchPages++;
        int count = IndexPageFormat.nodeCount(page);
        for (int i = 0; i < count; i++) {
          walk(
              IndexPageFormat.child(page, IndexPageFormat.node(page, i)),
              depth + 1,
              i == 0 ? lower : key(page, i),
              i + 1 < count ? key(page, i + 1) : upper);
        }
      }
    }

    /** The nodes of a page fill it from its upper bound to its end. */
    private void checkNodes(long number, ByteBuffer page, boolean isLeaf) throws BadPageException {
      int flags = isLeaf ? IndexPageFormat.FLAG_LEAF : IndexPageFormat.FLAG_BRANCH;
      int lower = IndexPageFormat.unsignedShort(page, IndexPageFormat.PAGE_LOWER);
      int upper = IndexPageFormat.unsignedShort(page, IndexPageFormat.PAGE_UPPER);
      int count = IndexPageFormat.nodeCount(page);
      if (IndexPageFormat.flags(page) != flags) {
        throw bad(number, "has flags " + IndexPageFormat.flags(page));
      }
      if (lower % Short.BYTES != 0
          || lower > upper
          || upper > pages.bytes()
          || count < (isLeaf || kind == Kind.FREE ? 1 : 2)) {
        throw bad(number, "has bounds %d and %d".formatted(lower, upper));
      }
      long[] extents = new long[count];
      for (int i = 0; i < count; i++) {
        int node = IndexPageFormat.node(page, i);
        if (node < upper
            || node % Short.BYTES != 0
            || node > pages.bytes() - IndexPageFormat.NODE_HEADER_BYTES) {
          throw bad(number, "has a node at " + node);
        }
        extents[i] = (long) node << Integer.SIZE | nodeBytes(number, page, node, isLeaf);
      }
      Arrays.sort(extents);
      long end = upper;
      for (long extent : extents) {
        if (extent >>> Integer.SIZE != end) {
          throw bad(number, "has nodes that overlap or leave gaps");
        }
        end += (int) extent;
      }
      if (end != pages.bytes()) {
        throw bad(number, "has nodes that do not end with it");
      }
    }

    private int nodeBytes(long number, ByteBuffer page, int node, boolean isLeaf)
        throws BadPageException {
      int keySize = IndexPageFormat.keySize(page, node);
      long bytes = (long) IndexPageFormat.NODE_HEADER_BYTES + keySize;
      if (isLeaf) {
        boolean isBig = IndexPageFormat.nodeFlags(page, node) == IndexPageFormat.NODE_BIG_DATA;
        bytes += isBig ? Long.BYTES : IndexPageFormat.dataSize(page, node);
      }
      bytes += bytes % Short.BYTES;
      if (keySize > IndexPageFormat.KEY_BYTES_MAX || bytes > pages.bytes()) {
        throw bad(number, "has a node of %d bytes".formatted(bytes));
      }
      return (int) bytes;
    }

    /** Keys ascend; the first one of a branch page stands for everything below the second. */
    private void checkKeys(long number, ByteBuffer page, boolean isLeaf, byte[] lower, byte[] upper)
        throws BadPageException {
      int count = IndexPageFormat.nodeCount(page);
      byte[] before = null;
      for (int i = isLeaf ? 0 : 1; i < count; i++) {
        byte[] key = key(page, i);
        if (key.length == 0 || (kind == Kind.FREE && key.length != Long.BYTES)) {
          throw bad(number, "has a key of %d bytes".formatted(key.length));
        }
        if (before == null) {
          if (lower != null && compare(key, lower) < 0) {
            throw bad(number, "has a key that belongs before it");
          }
        } else if (compare(before, key) >= 0) {
          throw bad(number, "has keys that are not in order");
        }
        before = key;
      }
      if (before != null && upper != null && compare(before, upper) >= 0) {
        throw bad(number, "has a key that belongs behind it");
      }
    }

    private int compare(byte[] a, byte[] b) {
      return kind == Kind.FREE
          ? Long.compareUnsigned(number(a), number(b))
          : Arrays.compareUnsigned(a, b);
    }

    private void checkItems(long number, ByteBuffer page) throws IOException, BadPageException {
      int count = IndexPageFormat.nodeCount(page);
      entries += count;
      for (int i = 0; i < count; i++) {
        int node = IndexPageFormat.node(page, i);
        int flags = IndexPageFormat.nodeFlags(page, node);
        int dataAt = node + IndexPageFormat.NODE_HEADER_BYTES + IndexPageFormat.keySize(page, node);
        long dataSize = IndexPageFormat.dataSize(page, node);
        if (kind == Kind.MAIN) {
          if (flags != IndexPageFormat.NODE_SUB_DATABASE
              || dataSize != IndexPageFormat.DATABASE_BYTES) {
            throw bad(number, "has something that is no database");
          }
          new Walk(Kind.NAMED, Database.decode(page, dataAt)).check();
        } else if (flags == IndexPageFormat.NODE_BIG_DATA) {
          checkBigItem(number, page, node, page.getLong(dataAt));
        } else if (flags != 0) {
          throw bad(number, "has a node with flags " + flags);
        } else if (kind == Kind.FREE) {
          checkFreeList(page, dataAt, (int) dataSize, number(key(page, i)));
        }
      }
    }

    private void checkBigItem(long leaf, ByteBuffer page, int node, long first)
        throws IOException, BadPageException {
      long dataSize = IndexPageFormat.dataSize(page, node);
      long needed = (IndexPageFormat.PAGE_HEADER_BYTES - 1 + dataSize) / pages.bytes() + 1;
      meet(first, used);
      ByteBuffer header = pages.readHeader(first);
      long run = Integer.toUnsignedLong(header.getInt(IndexPageFormat.OVERFLOW_PAGES));
      if (IndexPageFormat.flags(header) != IndexPageFormat.FLAG_OVERFLOW
          || run < needed
          || run > meta.lastPage() - first + 1
          || first + needed > pages.count()) {
        throw bad(leaf, "has a value of %d bytes on page %d".formatted(dataSize, first));
      }
      for (long i = 1; i < run; i++) {
        meet(first + i, used);
      }
      overflowPages += run;
      if (kind == Kind.FREE) {
        if (dataSize > (meta.lastPage() + 2) * Long.BYTES || dataSize > Integer.MAX_VALUE - 8) {
          throw bad(leaf, "has a list of %d bytes of free pages".formatted(dataSize));
        }
        ByteBuffer list = pages.readOverflow(first, (int) dataSize);
        checkFreeList(list, 0, (int) dataSize, number(keyAt(page, node)));
      }
    }

    /** Descending page numbers behind their count; what follows the counted ones is not used. */
    private void checkFreeList(ByteBuffer source, int at, int bytes, long txn)
        throws BadPageException {
      long count = bytes < Long.BYTES ? -1 : source.getLong(at);
      if (bytes % Long.BYTES != 0
          || count < 0
          || count > bytes / Long.BYTES - 1
          || txn < 0
          || txn > meta.txn()) {
        throw new BadPageException("the free pages of transaction %d are unclear".formatted(txn));
      }
      long before = Long.MAX_VALUE;
      for (int i = 1; i <= count; i++) {
        long page = source.getLong(at + i * Long.BYTES);
        if (page >= before) {
          throw new BadPageException("free pages are not in order");
        }
        meet(page, free);
        if (txn == meta.txn()) {
          freedLast.set((int) page);
        }
        before = page;
      }
    }

    private byte[] key(ByteBuffer page, int index) {
      return keyAt(page, IndexPageFormat.node(page, index));
    }

    private byte[] keyAt(ByteBuffer page, int node) {
      byte[] key = new byte[IndexPageFormat.keySize(page, node)];
      page.get(node + IndexPageFormat.NODE_HEADER_BYTES, key);
      return key;
    }
  }

  void check() throws IOException, BadPageException {
    new Walk(Kind.FREE, meta.free()).check();
    new Walk(Kind.MAIN, meta.main()).check();
    BitSet met = (BitSet) used.clone();
    met.or(free);
    int lost = met.nextClearBit(IndexPageFormat.META_PAGES);
    if (lost <= meta.lastPage()) {
      throw new BadPageException("page %d is neither used nor free".formatted(lost));
    }
  }

  /** Checks that a state was changed into this one by one transaction. */
  void checkFollows(IndexSnapshotCheck older) throws BadPageException {
    BitSet lost = (BitSet) older.used.clone();
    lost.andNot(used);
    lost.andNot(freedLast);
    if (!lost.isEmpty()) {
      throw new BadPageException(
          "page %d was used by transaction %d, and %d has not freed it"
              .formatted(lost.nextSetBit(0), older.meta.txn(), meta.txn()));
    }
  }

  private void meet(long page, BitSet as) throws BadPageException {
    if (page < IndexPageFormat.META_PAGES || page > meta.lastPage()) {
      throw new BadPageException("page %d is none of its pages".formatted(page));
    }
    if (used.get((int) page) || free.get((int) page)) {
      throw new BadPageException("page %d is used or free twice".formatted(page));
    }
    as.set((int) page);
  }

  /** A key of the database of free pages: the transaction that freed them. */
  private static long number(byte[] key) {
    return ByteBuffer.wrap(key).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  private static BadPageException bad(long page, String what) {
    return new BadPageException("page %d %s".formatted(page, what));
  }
}
