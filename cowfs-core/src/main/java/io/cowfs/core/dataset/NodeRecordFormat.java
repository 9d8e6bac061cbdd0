package io.cowfs.core.dataset;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockPointerFormat;
import io.cowfs.core.block.CorruptBlockException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.Optional;

/**
 * A {@link NodeRecord} as stored in the index and in the dataset directory. All numbers are
 * little-endian; the name follows the fixed part.
 */
final class NodeRecordFormat {
  static final int KIND = 0;
  static final int HAS_ROOT = KIND + Byte.BYTES;
  static final int ZEROS = HAS_ROOT + Byte.BYTES;
  static final int ID = ZEROS + Short.BYTES;
  static final int DATASET = ID + Integer.BYTES;
  static final int PARENT = DATASET + Integer.BYTES;
  static final int CREATED_NANOS = PARENT + Integer.BYTES;
  static final int CREATED_SECONDS = CREATED_NANOS + Integer.BYTES;
  static final int TXG = CREATED_SECONDS + Long.BYTES;
  static final int DEADLIST = TXG + Long.BYTES;
  static final int REFERENCED_SECTORS = DEADLIST + Long.BYTES;
  static final int UNIQUE_SECTORS = REFERENCED_SECTORS + Long.BYTES;
  static final int DEADLIST_UNIQUE_SECTORS = UNIQUE_SECTORS + Long.BYTES;
  static final int NEXT_OBJECT_NUMBER = DEADLIST_UNIQUE_SECTORS + Long.BYTES;
  static final int FILES = NEXT_OBJECT_NUMBER + Long.BYTES;
  static final int ROOT = FILES + Long.BYTES;
  static final int NAME_BYTES = ROOT + BlockPointerFormat.BYTES;
  static final int NAME = NAME_BYTES + Short.BYTES;

  /** The highest number of seconds that {@link Instant} can hold is far beyond this one. */
  private static final long MAX_SECONDS = 1L << 40;

  private NodeRecordFormat() {}

  static byte[] encode(NodeRecord node) {
    Instant created = node.created();
    byte[] name = node.name().getBytes(US_ASCII);
    ByteBuffer record = ByteBuffer.allocate(NAME + name.length).order(ByteOrder.LITTLE_ENDIAN);
    record.put(KIND, (byte) node.kind().id());
    record.put(HAS_ROOT, (byte) (node.root().isPresent() ? 1 : 0));
    record.putInt(ID, node.id());
    record.putInt(DATASET, node.dataset());
    record.putInt(PARENT, node.parent());
    record.putInt(CREATED_NANOS, created.getNano());
    record.putLong(CREATED_SECONDS, created.getEpochSecond());
    record.putLong(TXG, node.txg());
    record.putLong(DEADLIST, node.deadlist());
    record.putLong(REFERENCED_SECTORS, node.referencedSectors());
    record.putLong(UNIQUE_SECTORS, node.uniqueSectors());
    record.putLong(DEADLIST_UNIQUE_SECTORS, node.deadlistUniqueSectors());
    record.putLong(NEXT_OBJECT_NUMBER, node.nextObjectNumber());
    record.putLong(FILES, node.files());
    node.root().ifPresent(root -> BlockPointerFormat.encode(root, record, ROOT));
    record.putShort(NAME_BYTES, (short) name.length);
    record.put(NAME, name);
    return record.array();
  }

  /**
   * Decodes and checks one record; how records fit together is checked by {@link HistoryCheck}.
   *
   * @throws BadRecordException when it is no node record; the caller names the file
   */
  static NodeRecord decode(byte[] value) throws BadRecordException {
    require(value.length >= NAME, "is cut short");
    ByteBuffer record = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    int nameBytes = Short.toUnsignedInt(record.getShort(NAME_BYTES));
    require(nameBytes <= Names.MAX_LENGTH && value.length == NAME + nameBytes, "has a wrong size");
    int nanos = record.getInt(CREATED_NANOS);
    long seconds = record.getLong(CREATED_SECONDS);
    require(nanos >= 0 && nanos < 1_000_000_000, "has a wrong time");
    require(seconds > -MAX_SECONDS && seconds < MAX_SECONDS, "has a wrong time");
    NodeRecord node =
        new NodeRecord(
            record.getInt(ID),
            kind(record.get(KIND)),
            new String(value, NAME, nameBytes, US_ASCII),
            record.getInt(DATASET),
            record.getInt(PARENT),
            record.getLong(TXG),
            Instant.ofEpochSecond(seconds, nanos),
            root(record),
            record.getLong(DEADLIST),
            record.getLong(REFERENCED_SECTORS),
            record.getLong(UNIQUE_SECTORS),
            record.getLong(DEADLIST_UNIQUE_SECTORS),
            record.getLong(NEXT_OBJECT_NUMBER),
            record.getLong(FILES));
    require(record.getShort(ZEROS) == 0, "has an unknown setting");
    require(node.id() > 0 && node.dataset() >= 0 && node.parent() >= 0, "has a wrong id");
    require(node.txg() >= 0 && node.deadlist() > 0, "has a wrong txg or deadlist");
    require(
        node.referencedSectors() >= node.uniqueSectors()
            && node.uniqueSectors() >= 0
            && node.deadlistUniqueSectors() >= 0
            && node.nextObjectNumber() >= 0
            && node.files() >= 0,
        "has a negative counter");
    return node;
  }

  private static Optional<BlockPointer> root(ByteBuffer record) throws BadRecordException {
    byte hasRoot = record.get(HAS_ROOT);
    require(hasRoot == 0 || hasRoot == 1, "has an unknown flag");
    if (hasRoot == 0) {
      return Optional.empty();
    }
    try {
      return Optional.of(BlockPointerFormat.decode(record, ROOT));
    } catch (CorruptBlockException e) {
      throw new BadRecordException(e.getMessage());
    }
  }

  private static NodeKind kind(byte id) throws BadRecordException {
    for (NodeKind kind : NodeKind.values()) {
      if (kind.id() == id) {
        return kind;
      }
    }
    throw new BadRecordException("a dataset record has the unknown kind " + id);
  }

  private static void require(boolean condition, String what) throws BadRecordException {
    if (!condition) {
      throw new BadRecordException("a dataset record " + what);
    }
  }
}
