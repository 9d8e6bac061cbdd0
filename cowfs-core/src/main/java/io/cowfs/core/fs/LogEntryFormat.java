package io.cowfs.core.fs;

import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeFormat;
import io.cowfs.core.fs.LogEntry.HoleMade;
import io.cowfs.core.fs.LogEntry.ItemDeleted;
import io.cowfs.core.fs.LogEntry.ItemPut;
import io.cowfs.core.fs.LogEntry.SectorsWritten;
import io.cowfs.core.txg.Txg;
import java.nio.ByteBuffer;

/**
 * The bytes of an entry of the intent log, little-endian. Entries follow each other without gaps.
 */
final class LogEntryFormat {
  static final int KIND = 0;
  static final int DATASET = KIND + Byte.BYTES;
  static final int HEADER_BYTES = DATASET + Integer.BYTES;

  // What follows of an item.
  static final int KEY_HIGH = 0;
  static final int KEY_LOW = KEY_HIGH + Long.BYTES;
  static final int KEY_KIND = KEY_LOW + Long.BYTES;
  static final int VALUE_BYTES = KEY_KIND + Byte.BYTES;
  static final int VALUE = VALUE_BYTES + Short.BYTES;

  // What follows of written sectors.
  static final int INODE = 0;
  static final int FIRST_SECTOR = INODE + Long.BYTES;
  static final int SECTORS = FIRST_SECTOR + Long.BYTES;
  static final int CONTENT_BYTES = SECTORS + Integer.BYTES;
  static final int CONTENT = CONTENT_BYTES + Integer.BYTES;

  // What follows of a hole.
  static final int HOLE_INODE = 0;
  static final int HOLE_FROM = HOLE_INODE + Long.BYTES;
  static final int HOLE_TO = HOLE_FROM + Long.BYTES;
  static final int HOLE_END = HOLE_TO + Long.BYTES;

  /** Of one entry: an epoch that has more is not logged. */
  private static final int SECTORS_MAX = Txg.LOGGED_BYTES_MAX / PageArena.PAGE_BYTES;

  static final int ITEM_PUT = 1;
  static final int ITEM_DELETED = 2;
  static final int SECTORS_WRITTEN = 3;
  static final int HOLE_MADE = 4;

  private LogEntryFormat() {}

  static void encode(LogEntry entry, ByteBuffer log) {
    if (entry instanceof ItemPut item) {
      begin(log, ITEM_PUT, entry);
      putKey(log, item.key());
      log.putShort((short) item.value().length).put(item.value());
    } else if (entry instanceof ItemDeleted item) {
      begin(log, ITEM_DELETED, entry);
      putKey(log, item.key());
    } else if (entry instanceof SectorsWritten written) {
      begin(log, SECTORS_WRITTEN, entry);
      log.putLong(written.inode()).putLong(written.sector()).putInt(written.sectors());
      log.putInt(written.content().length).put(written.content());
    } else if (entry instanceof HoleMade hole) {
      begin(log, HOLE_MADE, entry);
      log.putLong(hole.inode()).putLong(hole.from()).putLong(hole.to());
    }
  }

  private static void begin(ByteBuffer log, int kind, LogEntry entry) {
    log.put((byte) kind).putInt(entry.dataset());
  }

  private static void putKey(ByteBuffer log, Key key) {
    log.putLong(key.high()).putLong(key.low()).put((byte) key.kind());
  }

  /**
   * Reads the entry at the buffer's position, and goes behind it. Nothing of it is trusted.
   *
   * @throws CorruptBlockException when there is none
   */
  static LogEntry decode(ByteBuffer log) throws CorruptBlockException {
    require(log.remaining() >= HEADER_BYTES, "is cut short");
    int kind = log.get();
    int dataset = log.getInt();
    return switch (kind) {
      case ITEM_PUT -> {
        require(log.remaining() >= VALUE, "is cut short");
        Key key = getKey(log);
        int bytes = Short.toUnsignedInt(log.getShort());
        require(bytes <= NodeFormat.MAX_VALUE_BYTES, "has an impossible item");
        yield new ItemPut(dataset, key, getBytes(log, bytes));
      }
      case ITEM_DELETED -> {
        require(log.remaining() >= VALUE_BYTES, "is cut short");
        yield new ItemDeleted(dataset, getKey(log));
      }
      case SECTORS_WRITTEN -> {
        require(log.remaining() >= CONTENT, "is cut short");
        long inode = log.getLong();
        long sector = log.getLong();
        int sectors = log.getInt();
        int bytes = log.getInt();
        require(
            sector >= 0
                && sectors > 0
                && sectors <= SECTORS_MAX
                && sector <= DirtyFile.SECTORS_MAX - sectors
                && bytes >= 0
                && bytes <= (long) sectors * PageArena.PAGE_BYTES,
            "has impossible sectors");
        yield new SectorsWritten(dataset, inode, sector, sectors, getBytes(log, bytes));
      }
      case HOLE_MADE -> {
        require(log.remaining() >= HOLE_END, "is cut short");
        HoleMade hole = new HoleMade(dataset, log.getLong(), log.getLong(), log.getLong());
        require(
            hole.from() >= 0 && hole.from() <= hole.to() && hole.to() <= DirtyFile.SECTORS_MAX,
            "has an impossible hole");
        yield hole;
      }
      default -> throw new CorruptBlockException("the intent log has an entry of kind " + kind);
    };
  }

  private static Key getKey(ByteBuffer log) {
    long high = log.getLong();
    long low = log.getLong();
    return new Key(high, Byte.toUnsignedInt(log.get()), low);
  }

  private static byte[] getBytes(ByteBuffer log, int bytes) throws CorruptBlockException {
    require(log.remaining() >= bytes, "is cut short");
    byte[] content = new byte[bytes];
    log.get(content);
    return content;
  }

  private static void require(boolean condition, String what) throws CorruptBlockException {
    if (!condition) {
      throw new CorruptBlockException("an entry of the intent log " + what);
    }
  }
}
