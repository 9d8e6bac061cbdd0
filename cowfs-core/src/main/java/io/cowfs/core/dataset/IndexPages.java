package io.cowfs.core.dataset;

import io.cowfs.core.dataset.IndexPageCheck.BadPageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** Reads pages of LMDB's file. Used by one thread; does not own the channel. */
final class IndexPages {
  private final FileChannel channel;
  private final int pageBytes;
  private final long count;

  IndexPages(FileChannel channel, int pageBytes) throws IOException {
    this.channel = channel;
    this.pageBytes = pageBytes;
    this.count = channel.size() / pageBytes;
  }

  int bytes() {
    return pageBytes;
  }

  /** How many whole pages the file has. */
  long count() {
    return count;
  }

  /** Reads a page into a new buffer and checks its number. */
  ByteBuffer read(long number) throws IOException, BadPageException {
    return read(number, pageBytes);
  }

  /** Reads the header of a page and checks its number. */
  ByteBuffer readHeader(long number) throws IOException, BadPageException {
    return read(number, IndexPageFormat.PAGE_HEADER_BYTES);
  }

  /** Reads what overflow pages contain, which has no checks of its own. */
  ByteBuffer readOverflow(long number, int bytes) throws IOException, BadPageException {
    ByteBuffer content = IndexPageFormat.newPage(bytes);
    if (!readFully(channel, content, number * pageBytes + IndexPageFormat.PAGE_HEADER_BYTES)) {
      throw new BadPageException("it is cut short");
    }
    return content;
  }

  private ByteBuffer read(long number, int bytes) throws IOException, BadPageException {
    ByteBuffer page = IndexPageFormat.newPage(bytes);
    if (number >= count || !readFully(channel, page, number * pageBytes)) {
      throw new BadPageException("it is cut short: page %d is missing".formatted(number));
    }
    if (page.getLong(IndexPageFormat.PAGE_NUMBER) != number) {
      throw new BadPageException("page %d has the number of another".formatted(number));
    }
    return page;
  }

  /** Fills the buffer from an offset; false when the file ends before. */
  static boolean readFully(FileChannel channel, ByteBuffer buffer, long offset) throws IOException {
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, offset + buffer.position()) < 0) {
        return false;
      }
    }
    buffer.flip();
    return true;
  }
}
