package io.cowfs.core.fs;

import io.cowfs.core.btree.Key;
import io.cowfs.core.txg.LoggedChange;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * What the intent log keeps of a change of a volume: enough to make it again, in the same order.
 */
sealed interface LogEntry extends LoggedChange {
  /** The dataset's id. */
  int dataset();

  @Override
  default void encode(ByteBuffer log) {
    LogEntryFormat.encode(this, log);
  }

  /** An item of the tree has this value. The value is shared, and not changed. */
  record ItemPut(int dataset, Key key, byte[] value) implements LogEntry {
    @Override
    public int logBytes() {
      return LogEntryFormat.HEADER_BYTES + LogEntryFormat.VALUE + value.length;
    }
  }

  /** An item of the tree is gone. */
  record ItemDeleted(int dataset, Key key) implements LogEntry {
    @Override
    public int logBytes() {
      return LogEntryFormat.HEADER_BYTES + LogEntryFormat.VALUE_BYTES;
    }
  }

  /**
   * Sectors of a file have this content.
   *
   * @param sector the first of them, in the file
   * @param sectors how many
   * @param content without the zeros that it ends with
   */
  record SectorsWritten(int dataset, long inode, long sector, int sectors, byte[] content)
      implements LogEntry {
    /** Takes the zeros off. */
    static SectorsWritten of(int dataset, long inode, long sector, byte[] whole) {
      int end = whole.length;
      while (end > 0 && whole[end - 1] == 0) {
        end--;
      }
      byte[] content = end == whole.length ? whole : Arrays.copyOf(whole, end);
      int sectors = whole.length / PageArena.PAGE_BYTES;
      return new SectorsWritten(dataset, inode, sector, sectors, content);
    }

    @Override
    public int logBytes() {
      return LogEntryFormat.HEADER_BYTES + LogEntryFormat.CONTENT + content.length;
    }
  }

  /** Sectors of a file are a hole: from, included, to, not included. */
  record HoleMade(int dataset, long inode, long from, long to) implements LogEntry {
    @Override
    public int logBytes() {
      return LogEntryFormat.HEADER_BYTES + LogEntryFormat.HOLE_END;
    }
  }
}
