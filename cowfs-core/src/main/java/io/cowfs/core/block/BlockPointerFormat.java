package io.cowfs.core.block;

import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.MalformedDataException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The bytes of a {@link BlockPointer}, little-endian. */
public final class BlockPointerFormat {
  static final int COMPRESSION = 0;
  static final int CHECKSUM_ALGORITHM = COMPRESSION + Byte.BYTES;
  static final int LOGICAL_BYTES = CHECKSUM_ALGORITHM + Byte.BYTES;
  static final int STORED_BYTES = LOGICAL_BYTES + Integer.BYTES;
  static final int SECTOR = STORED_BYTES + Integer.BYTES;
  static final int SECOND_SECTOR = SECTOR + Long.BYTES;
  static final int CHECKSUM = SECOND_SECTOR + Long.BYTES;
  static final int BIRTH_TXG = CHECKSUM + Long.BYTES;

  /** The size of an encoded pointer. */
  public static final int BYTES = BIRTH_TXG + Long.BYTES;

  /** The largest block; bounds what is allocated to read one. */
  public static final int LOGICAL_BYTES_MAX = 1 << 20;

  /** No device reaches so far. */
  static final long SECTOR_LIMIT = 1L << 40;

  private BlockPointerFormat() {}

  /** Encodes at an absolute index. */
  public static void encode(BlockPointer pointer, ByteBuffer buffer, int at) {
    ByteBuffer target = buffer.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    target.put(at + COMPRESSION, (byte) pointer.compression().id());
    target.put(at + CHECKSUM_ALGORITHM, (byte) pointer.checksumAlgorithm().id());
    target.putInt(at + LOGICAL_BYTES, pointer.logicalBytes());
    target.putInt(at + STORED_BYTES, pointer.storedBytes());
    target.putLong(at + SECTOR, pointer.sector());
    target.putLong(at + SECOND_SECTOR, pointer.secondSector());
    target.putLong(at + CHECKSUM, pointer.checksum());
    target.putLong(at + BIRTH_TXG, pointer.birthTxg());
  }

  /**
   * Decodes at an absolute index.
   *
   * @throws CorruptBlockException when the values are impossible
   */
  public static BlockPointer decode(ByteBuffer buffer, int at) throws CorruptBlockException {
    if (at < 0 || at > buffer.limit() - BYTES) {
      throw new CorruptBlockException("a block pointer is cut short");
    }
    ByteBuffer source = buffer.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    BlockPointer pointer;
    try {
      pointer =
          new BlockPointer(
              source.getLong(at + SECTOR),
              source.getLong(at + SECOND_SECTOR),
              source.getInt(at + LOGICAL_BYTES),
              source.getInt(at + STORED_BYTES),
              Compression.byId(source.get(at + COMPRESSION)),
              ChecksumAlgorithm.byId(source.get(at + CHECKSUM_ALGORITHM)),
              source.getLong(at + CHECKSUM),
              source.getLong(at + BIRTH_TXG));
    } catch (MalformedDataException e) {
      throw new CorruptBlockException("a block pointer is damaged: " + e.getMessage(), e);
    }
    if (!isPossible(pointer)) {
      throw new CorruptBlockException("a block pointer is damaged: " + pointer);
    }
    return pointer;
  }

  private static boolean isPossible(BlockPointer pointer) {
    int logical = pointer.logicalBytes();
    int stored = pointer.storedBytes();
    boolean sizes =
        pointer.compression() == Compression.NONE ? stored == logical : stored < logical;
    return sizes
        && logical > 0
        && logical <= LOGICAL_BYTES_MAX
        && stored > 0
        && pointer.birthTxg() >= 0
        && Reference.isPossiblePlace(pointer.sector())
        && isPossibleSecond(pointer);
  }

  /** Whether the second place of a pointer, if it has one, can be that of another copy. */
  public static boolean isPossibleSecond(BlockPointer pointer) {
    return pointer.secondSector() == BlockPointer.NONE
        || (Reference.isPossiblePlace(pointer.secondSector())
            && Reference.areApart(pointer.sector(), pointer.secondSector(), pointer.sectors()));
  }
}
