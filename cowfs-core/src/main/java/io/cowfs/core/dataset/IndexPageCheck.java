package io.cowfs.core.dataset;

import io.cowfs.core.dataset.IndexPageFormat.Meta;
import io.cowfs.core.device.DamagedIndexException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Checks the pages of the index before LMDB opens it. LMDB trusts its file: a wrong page number or
 * offset makes it read beyond the map or abort, which ends the whole process.
 *
 * <p>Checked are both meta pages and, from each of them, everything that they reach: that every
 * page up to the last one is used exactly once or free exactly once, that pages are what they are
 * used as, that nodes fill their pages without gaps or overlaps, that keys are in order and within
 * what the branches above say, and that all counts are right. LMDB keeps the state before the last
 * transaction whole until the next one has committed, so the older meta page is held to the same
 * rules; and what its state uses, the newer one uses too or has freed, so that no damaged number of
 * a transaction makes the old state the current one.
 *
 * <p>What a flipped bit can still do after this check: change a value, or a key such that the order
 * stays right, which the checksums of the catalog's records find when they are read; or change what
 * nobody reads: free pages, the room between the nodes of a page, the padding of a page's header,
 * the rest of an overflow page.
 */
final class IndexPageCheck {
  private final FileChannel channel;

  private IndexPageCheck(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Reads and checks a file. It must not be open in LMDB, in this process: closing the file here
   * would drop LMDB's locks.
   *
   * @param file LMDB's {@code data.mdb}
   * @throws DamagedIndexException naming the file and what is wrong first
   */
  static void check(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      new IndexPageCheck(channel).check();
    } catch (BadPageException e) {
      throw new DamagedIndexException("index damaged: " + file + ": " + e.getMessage(), e);
    }
  }

  /** A page cannot be what it should be; the message says how. */
  static final class BadPageException extends Exception {
    private static final long serialVersionUID = 1L;

    BadPageException(String message) {
      super(message);
    }
  }

  private void check() throws IOException, BadPageException {
    Meta even = meta(0, IndexPageFormat.PAGE_BYTES_MIN);
    int pageBytes = even.pageBytes();
    if (Integer.bitCount(pageBytes) != 1
        || pageBytes < IndexPageFormat.PAGE_BYTES_MIN
        || pageBytes > IndexPageFormat.PAGE_BYTES_MAX) {
      throw new BadPageException("impossible page size " + pageBytes);
    }
    Meta odd = meta(1, pageBytes);
    if (odd.pageBytes() != pageBytes) {
      throw new BadPageException("the two meta pages have different page sizes");
    }
    boolean isNew = even.txn() == 0 && odd.txn() == 0;
    boolean alternate =
        even.txn() % 2 == 0 && odd.txn() % 2 == 1 && Math.abs(even.txn() - odd.txn()) == 1;
    if (even.txn() < 0 || !(isNew || alternate)) {
      throw new BadPageException(
          "the meta pages are of transactions %d and %d".formatted(even.txn(), odd.txn()));
    }
    IndexPages pages = new IndexPages(channel, pageBytes);
    IndexSnapshotCheck evenSnapshot = checkSnapshot(pages, even);
    IndexSnapshotCheck oddSnapshot = checkSnapshot(pages, odd);
    boolean evenIsNewer = even.txn() > odd.txn();
    (evenIsNewer ? evenSnapshot : oddSnapshot)
        .checkFollows(evenIsNewer ? oddSnapshot : evenSnapshot);
  }

  private static IndexSnapshotCheck checkSnapshot(IndexPages pages, Meta meta)
      throws IOException, BadPageException {
    long fileLimit = pages.count() * (pages.bytes() / Long.BYTES + 1);
    if (meta.lastPage() < IndexPageFormat.META_PAGES - 1
        || meta.lastPage() > Math.min(fileLimit, Integer.MAX_VALUE - 1)) {
      throw new BadPageException("impossible last page " + meta.lastPage());
    }
    if (meta.address() != 0
        || meta.mapBytes() < (meta.lastPage() + 1) * pages.bytes()
        || meta.mapBytes() % pages.bytes() != 0) {
      throw new BadPageException("impossible map of %d bytes".formatted(meta.mapBytes()));
    }
    IndexSnapshotCheck snapshot = new IndexSnapshotCheck(pages, meta);
    snapshot.check();
    return snapshot;
  }

  private Meta meta(int number, int pageBytes) throws IOException, BadPageException {
    ByteBuffer page = IndexPageFormat.newPage(IndexPageFormat.PAGE_BYTES_MIN);
    if (!IndexPages.readFully(channel, page, (long) number * pageBytes)) {
      throw new BadPageException("it is cut short");
    }
    if (page.getInt(IndexPageFormat.META_MAGIC) != IndexPageFormat.MAGIC_VALUE
        || page.getInt(IndexPageFormat.META_VERSION) != IndexPageFormat.VERSION_VALUE
        || page.getLong(IndexPageFormat.PAGE_NUMBER) != number
        || IndexPageFormat.flags(page) != IndexPageFormat.FLAG_META) {
      throw new BadPageException("page %d is no meta page of LMDB".formatted(number));
    }
    for (int at = IndexPageFormat.META_END; at < page.capacity(); at++) {
      if (page.get(at) != 0) {
        throw new BadPageException("meta page %d has something behind its end".formatted(number));
      }
    }
    return Meta.decode(page);
  }
}
