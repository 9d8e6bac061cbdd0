package io.cowfs.core.dataset;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockPointerFormat;
import io.cowfs.core.block.CorruptBlockException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.UUID;

/**
 * The {@link PoolRecord} as stored in the index and in the dataset directory, and the numbers of
 * records beside it by which a lost one is noticed. All numbers are little-endian, but for the
 * UUID, which is stored in its usual order.
 */
final class PoolRecordFormat {
  static final int VERSION_NUMBER = 3;

  static final int VERSION = 0;
  static final int HAS_DIRECTORY = VERSION + Integer.BYTES;
  static final int NEXT_NODE = HAS_DIRECTORY + Integer.BYTES;
  static final int TXG = NEXT_NODE + Integer.BYTES;
  static final int POOL = TXG + Long.BYTES;
  static final int NEXT_ID = POOL + 2 * Long.BYTES;
  static final int NODES = NEXT_ID + Long.BYTES;
  static final int REGIONS = NODES + Long.BYTES;
  static final int DEFERRED_CHUNKS = REGIONS + Long.BYTES;
  static final int DEADLIST_PARTS = DEFERRED_CHUNKS + Long.BYTES;
  static final int REFERENCE_CHUNKS = DEADLIST_PARTS + Long.BYTES;
  static final int CONDEMNED = REFERENCE_CHUNKS + Long.BYTES;
  static final int SHARED_RANGES = CONDEMNED + Long.BYTES;
  static final int PROPERTY_CHUNKS = SHARED_RANGES + Long.BYTES;
  static final int DIRECTORY_SECTORS = PROPERTY_CHUNKS + Long.BYTES;
  static final int DIRECTORY_ROOT = DIRECTORY_SECTORS + Long.BYTES;
  static final int BYTES = DIRECTORY_ROOT + BlockPointerFormat.BYTES;

  private PoolRecordFormat() {}

  /** The numbers of records in the databases of the index; all 0 in the dataset directory. */
  record Counts(
      long nodes,
      long regions,
      long deferredChunks,
      long deadlistParts,
      long referenceChunks,
      long condemned,
      long sharedRanges,
      long propertyChunks) {
    static final Counts NONE = new Counts(0, 0, 0, 0, 0, 0, 0, 0);
  }

  static byte[] encode(PoolRecord pool, Counts counts) {
    ByteBuffer record = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    record.putInt(VERSION, VERSION_NUMBER);
    record.putInt(HAS_DIRECTORY, pool.directoryRoot().isPresent() ? 1 : 0);
    record.putInt(NEXT_NODE, pool.nextNode());
    record.putLong(TXG, pool.txg());
    record.putLong(POOL, Long.reverseBytes(pool.pool().getMostSignificantBits()));
    record.putLong(POOL + Long.BYTES, Long.reverseBytes(pool.pool().getLeastSignificantBits()));
    record.putLong(NEXT_ID, pool.nextId());
    record.putLong(NODES, counts.nodes());
    record.putLong(REGIONS, counts.regions());
    record.putLong(DEFERRED_CHUNKS, counts.deferredChunks());
    record.putLong(DEADLIST_PARTS, counts.deadlistParts());
    record.putLong(REFERENCE_CHUNKS, counts.referenceChunks());
    record.putLong(CONDEMNED, counts.condemned());
    record.putLong(SHARED_RANGES, counts.sharedRanges());
    record.putLong(PROPERTY_CHUNKS, counts.propertyChunks());
    record.putLong(DIRECTORY_SECTORS, pool.directorySectors());
    pool.directoryRoot().ifPresent(root -> BlockPointerFormat.encode(root, record, DIRECTORY_ROOT));
    return record.array();
  }

  /**
   * Decodes and checks the record.
   *
   * @throws BadRecordException when it is none; the caller names the file
   */
  static PoolRecord decode(byte[] value) throws BadRecordException {
    require(value.length == BYTES, "has a wrong size");
    ByteBuffer record = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    require(record.getInt(VERSION) == VERSION_NUMBER, "is of an unknown version");
    PoolRecord pool =
        new PoolRecord(
            new UUID(
                Long.reverseBytes(record.getLong(POOL)),
                Long.reverseBytes(record.getLong(POOL + Long.BYTES))),
            record.getLong(TXG),
            record.getInt(NEXT_NODE),
            record.getLong(NEXT_ID),
            directoryRoot(record),
            record.getLong(DIRECTORY_SECTORS));
    require(pool.directorySectors() >= 0, "has a negative counter");
    require(pool.txg() >= 0 && pool.nextNode() > 0 && pool.nextId() > 0, "has a wrong id");
    return pool;
  }

  private static Optional<BlockPointer> directoryRoot(ByteBuffer record) throws BadRecordException {
    int hasDirectory = record.getInt(HAS_DIRECTORY);
    require(hasDirectory == 0 || hasDirectory == 1, "has an unknown flag");
    if (hasDirectory == 0) {
      return Optional.empty();
    }
    try {
      return Optional.of(BlockPointerFormat.decode(record, DIRECTORY_ROOT));
    } catch (CorruptBlockException e) {
      throw new BadRecordException(e.getMessage());
    }
  }

  /** The counts of a value that {@link #decode} has accepted. */
  static Counts decodeCounts(byte[] value) {
    ByteBuffer record = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    return new Counts(
        record.getLong(NODES),
        record.getLong(REGIONS),
        record.getLong(DEFERRED_CHUNKS),
        record.getLong(DEADLIST_PARTS),
        record.getLong(REFERENCE_CHUNKS),
        record.getLong(CONDEMNED),
        record.getLong(SHARED_RANGES),
        record.getLong(PROPERTY_CHUNKS));
  }

  private static void require(boolean condition, String what) throws BadRecordException {
    if (!condition) {
      throw new BadRecordException("the pool record " + what);
    }
  }
}
