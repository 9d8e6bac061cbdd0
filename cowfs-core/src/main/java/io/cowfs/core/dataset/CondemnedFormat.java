package io.cowfs.core.dataset;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockPointerFormat;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.btree.Key;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/** A {@link Condemned} as stored in the index, under its id. All numbers are little-endian. */
final class CondemnedFormat {
  static final int KIND = 0;
  static final int HAS_CURSOR = KIND + Byte.BYTES;
  static final int LIST = HAS_CURSOR + Byte.BYTES;
  static final int BORN_AFTER = LIST + Long.BYTES;
  static final int SECTORS = BORN_AFTER + Long.BYTES;
  static final int CURSOR_HIGH = SECTORS + Long.BYTES;
  static final int CURSOR_KIND = CURSOR_HIGH + Long.BYTES;
  static final int CURSOR_LOW = CURSOR_KIND + Byte.BYTES;
  static final int ROOT = CURSOR_LOW + Long.BYTES;
  static final int BYTES = ROOT + BlockPointerFormat.BYTES;

  private CondemnedFormat() {}

  static byte[] encode(Condemned condemned) {
    ByteBuffer record = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    record.put(KIND, (byte) condemned.kind().id());
    record.putLong(LIST, condemned.list());
    record.putLong(BORN_AFTER, condemned.bornAfter());
    record.putLong(SECTORS, condemned.sectors());
    condemned
        .cursor()
        .ifPresent(
            cursor -> {
              record.put(HAS_CURSOR, (byte) 1);
              record.putLong(CURSOR_HIGH, cursor.high());
              record.put(CURSOR_KIND, (byte) cursor.kind());
              record.putLong(CURSOR_LOW, cursor.low());
            });
    condemned.root().ifPresent(root -> BlockPointerFormat.encode(root, record, ROOT));
    return record.array();
  }

  /**
   * Decodes and checks a record.
   *
   * @throws BadRecordException when it is none; the caller names the file
   */
  static Condemned decode(long id, byte[] value) throws BadRecordException {
    require(value.length == BYTES, "has a wrong size");
    ByteBuffer record = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    Condemned.Kind kind = kind(record.get(KIND));
    boolean isTree = kind == Condemned.Kind.TREE;
    int hasCursor = record.get(HAS_CURSOR);
    require(hasCursor == 0 || (hasCursor == 1 && isTree), "has an unknown flag");
    Condemned condemned =
        new Condemned(
            id,
            kind,
            record.getLong(LIST),
            isTree ? Optional.of(root(record)) : Optional.empty(),
            record.getLong(BORN_AFTER),
            hasCursor == 0
                ? Optional.empty()
                : Optional.of(
                    new Key(
                        record.getLong(CURSOR_HIGH),
                        record.get(CURSOR_KIND) & 0xff,
                        record.getLong(CURSOR_LOW))),
            record.getLong(SECTORS));
    require(
        condemned.sectors() >= 0 && condemned.bornAfter() >= 0 && (condemned.list() > 0) != isTree,
        "has an impossible number");
    return condemned;
  }

  private static BlockPointer root(ByteBuffer record) throws BadRecordException {
    try {
      return BlockPointerFormat.decode(record, ROOT);
    } catch (CorruptBlockException e) {
      throw new BadRecordException(e.getMessage());
    }
  }

  private static Condemned.Kind kind(byte id) throws BadRecordException {
    for (Condemned.Kind kind : Condemned.Kind.values()) {
      if (kind.id() == id) {
        return kind;
      }
    }
    throw new BadRecordException("a record of what is being freed has the unknown kind " + id);
  }

  private static void require(boolean condition, String what) throws BadRecordException {
    if (!condition) {
      throw new BadRecordException("a record of what is being freed " + what);
    }
  }
}
