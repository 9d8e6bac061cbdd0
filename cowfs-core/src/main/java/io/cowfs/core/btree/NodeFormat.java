package io.cowfs.core.btree;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockPointerFormat;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.List;

/**
 * The bytes of a tree node. A node is a header, then one slot for each entry in ascending order of
 * keys, then, in a leaf, the values, in the order of their slots and without gaps. A parent of
 * leaves has pending changes after its slots: slots and values like those of a leaf.
 *
 * <p>Numbers are little-endian, but for keys: those are big-endian, so that the order of the bytes
 * is the order of the keys.
 */
public final class NodeFormat {
  /** Size of a node before compression. */
  public static final int NODE_BYTES = 16384;

  /** The longest value a leaf takes. */
  public static final int MAX_VALUE_BYTES = 3072;

  /**
   * No tree is higher: even nodes filled to a third reach 2^64 items long before, and there are few
   * with less.
   */
  public static final int MAX_LEVEL = 10;

  static final int MAGIC_VALUE = 0x444E5743; // "CWND"
  static final int FORMAT_VERSION = 3;

  static final int MAGIC = 0;
  static final int LEVEL = MAGIC + Integer.BYTES;
  static final int VERSION = LEVEL + Byte.BYTES;
  static final int COUNT = VERSION + Byte.BYTES;
  static final int USED = COUNT + Short.BYTES;
  static final int PENDING = USED + Short.BYTES;
  static final int RESERVED = PENDING + Short.BYTES;
  static final int RESERVED_BYTES = 4;
  static final int HEADER_BYTES = RESERVED + RESERVED_BYTES;

  static final int KEY_HIGH = 0;
  static final int KEY_KIND = KEY_HIGH + Long.BYTES;
  static final int KEY_LOW = KEY_KIND + Byte.BYTES;
  static final int KEY_BYTES = KEY_LOW + Long.BYTES;

  static final int VALUE_OFFSET = KEY_BYTES;
  static final int VALUE_LENGTH = VALUE_OFFSET + Short.BYTES;
  static final int LEAF_SLOT_BYTES = VALUE_LENGTH + Short.BYTES;

  /** Instead of a length: the pending change takes the key away. */
  static final int DELETED_LENGTH = 0xFFFF;

  static final int CHILD_SECTOR = KEY_BYTES;
  static final int CHILD_SECOND_SECTOR = CHILD_SECTOR + Long.BYTES;
  static final int CHILD_BIRTH_TXG = CHILD_SECOND_SECTOR + Long.BYTES;
  static final int CHILD_CHECKSUM = CHILD_BIRTH_TXG + Long.BYTES;
  static final int CHILD_STORED_BYTES = CHILD_CHECKSUM + Long.BYTES;
  static final int CHILD_COMPRESSION = CHILD_STORED_BYTES + Integer.BYTES;
  static final int CHILD_CHECKSUM_ALGORITHM = CHILD_COMPRESSION + Byte.BYTES;
  static final int CHILD_SLOT_BYTES = CHILD_CHECKSUM_ALGORITHM + Byte.BYTES;

  /** What slots and values of one node may take together. */
  static final int CAPACITY_BYTES = NODE_BYTES - HEADER_BYTES;

  /** What the pending changes of one leaf may take, of nodes that take so much. */
  static int pendingBytesMax(int capacityBytes) {
    return capacityBytes / 5;
  }

  private static final VarHandle LONG_BE =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

  private static final Compression[] COMPRESSIONS = compressionsById();
  private static final ChecksumAlgorithm[] CHECKSUMS = checksumsById();

  private NodeFormat() {}

  static int getInt(byte[] node, int offset) {
    return (int) INT.get(node, offset);
  }

  static int getUnsignedShort(byte[] node, int offset) {
    return (short) SHORT.get(node, offset) & 0xFFFF;
  }

  static long keyHigh(byte[] node, int slot) {
    return (long) LONG_BE.get(node, slot + KEY_HIGH);
  }

  static int keyKind(byte[] node, int slot) {
    return node[slot + KEY_KIND] & 0xFF;
  }

  static long keyLow(byte[] node, int slot) {
    return (long) LONG_BE.get(node, slot + KEY_LOW);
  }

  static Key key(byte[] node, int slot) {
    return new Key(keyHigh(node, slot), keyKind(node, slot), keyLow(node, slot));
  }

  static int compareKey(byte[] node, int slot, Key key) {
    int byHigh = Long.compareUnsigned(keyHigh(node, slot), key.high());
    if (byHigh != 0) {
      return byHigh;
    }
    int byKind = Integer.compare(keyKind(node, slot), key.kind());
    return byKind != 0 ? byKind : Long.compareUnsigned(keyLow(node, slot), key.low());
  }

  /**
   * The pointer in a child slot.
   *
   * @throws CorruptBlockException when no pointer to a node looks like that
   */
  static BlockPointer child(byte[] node, int slot) throws CorruptBlockException {
    long sector = (long) LONG.get(node, slot + CHILD_SECTOR);
    long birthTxg = (long) LONG.get(node, slot + CHILD_BIRTH_TXG);
    int storedBytes = (int) INT.get(node, slot + CHILD_STORED_BYTES);
    int compressionId = node[slot + CHILD_COMPRESSION] & 0xFF;
    int checksumId = node[slot + CHILD_CHECKSUM_ALGORITHM] & 0xFF;
    Compression compression = COMPRESSIONS[compressionId];
    ChecksumAlgorithm algorithm = CHECKSUMS[checksumId];
    if (sector < 0 || birthTxg < 0 || storedBytes <= 0 || storedBytes > NODE_BYTES) {
      throw new CorruptBlockException(
          "tree node: impossible pointer: sector %d, birth txg %d, %d bytes stored"
              .formatted(sector, birthTxg, storedBytes));
    }
    if (compression == null || algorithm == null) {
      throw new CorruptBlockException(
          "tree node: pointer to sector %d with unknown compression %d or checksum %d"
              .formatted(sector, compressionId, checksumId));
    }
    if (compression == Compression.NONE && storedBytes != NODE_BYTES) {
      throw new CorruptBlockException(
          "tree node: pointer to sector %d with %d bytes stored plain"
              .formatted(sector, storedBytes));
    }
    BlockPointer pointer =
        new BlockPointer(
            sector,
            (long) LONG.get(node, slot + CHILD_SECOND_SECTOR),
            NODE_BYTES,
            storedBytes,
            compression,
            algorithm,
            (long) LONG.get(node, slot + CHILD_CHECKSUM),
            birthTxg);
    if (!BlockPointerFormat.isPossibleSecond(pointer)) {
      throw new CorruptBlockException(
          "tree node: pointer to sector %d with an impossible copy at sector %d"
              .formatted(sector, pointer.secondSector()));
    }
    return pointer;
  }

  /** The birth txg of a child slot, without decoding the rest. */
  static long childBirthTxg(byte[] node, int slot) {
    return (long) LONG.get(node, slot + CHILD_BIRTH_TXG);
  }

  /**
   * A new node.
   *
   * @param entries ascending, together at most {@link #CAPACITY_BYTES}; of a kind that fits the
   *     level
   */
  static byte[] encode(int level, List<Entry> entries) {
    byte[] node = new byte[NODE_BYTES];
    int slotBytes = level == 0 ? LEAF_SLOT_BYTES : CHILD_SLOT_BYTES;
    int pending = pendingCount(entries);
    int slot = HEADER_BYTES;
    int used = HEADER_BYTES + entries.size() * slotBytes + pending * LEAF_SLOT_BYTES;
    for (Entry entry : entries) {
      putKey(node, slot, entry.key());
      if (entry instanceof Entry.Item item) {
        putValue(node, slot, used, item.source(), item.offset(), item.length());
        used += item.length();
      } else {
        putChild(node, slot, ((Entry.Child) entry).pointer());
      }
      slot += slotBytes;
    }
    for (Entry entry : entries) {
      if (entry instanceof Entry.Child child) {
        for (Change change : child.pending()) {
          used += putChange(node, slot, used, change);
          slot += LEAF_SLOT_BYTES;
        }
      }
    }
    INT.set(node, MAGIC, MAGIC_VALUE);
    node[LEVEL] = (byte) level;
    node[VERSION] = FORMAT_VERSION;
    SHORT.set(node, COUNT, (short) entries.size());
    SHORT.set(node, USED, (short) used);
    SHORT.set(node, PENDING, (short) pending);
    return node;
  }

  private static int pendingCount(List<Entry> entries) {
    int count = 0;
    for (Entry entry : entries) {
      count += entry instanceof Entry.Child child ? child.pending().size() : 0;
    }
    return count;
  }

  /** Returns how long the value is. */
  private static int putChange(byte[] node, int slot, int at, Change change) {
    putKey(node, slot, change.key());
    if (!change.isPut()) {
      SHORT.set(node, slot + VALUE_OFFSET, (short) at);
      SHORT.set(node, slot + VALUE_LENGTH, (short) DELETED_LENGTH);
      return 0;
    }
    putValue(node, slot, at, change.value(), 0, change.value().length);
    return change.value().length;
  }

  private static void putValue(
      byte[] node, int slot, int at, byte[] source, int offset, int length) {
    SHORT.set(node, slot + VALUE_OFFSET, (short) at);
    SHORT.set(node, slot + VALUE_LENGTH, (short) length);
    System.arraycopy(source, offset, node, at, length);
  }

  private static void putKey(byte[] node, int slot, Key key) {
    LONG_BE.set(node, slot + KEY_HIGH, key.high());
    node[slot + KEY_KIND] = (byte) key.kind();
    LONG_BE.set(node, slot + KEY_LOW, key.low());
  }

  private static void putChild(byte[] node, int slot, BlockPointer pointer) {
    if (pointer.logicalBytes() != NODE_BYTES) {
      throw new IllegalArgumentException("not a pointer to a tree node: " + pointer);
    }
    LONG.set(node, slot + CHILD_SECTOR, pointer.sector());
    LONG.set(node, slot + CHILD_SECOND_SECTOR, pointer.secondSector());
    LONG.set(node, slot + CHILD_BIRTH_TXG, pointer.birthTxg());
    LONG.set(node, slot + CHILD_CHECKSUM, pointer.checksum());
    INT.set(node, slot + CHILD_STORED_BYTES, pointer.storedBytes());
    node[slot + CHILD_COMPRESSION] = (byte) pointer.compression().id();
    node[slot + CHILD_CHECKSUM_ALGORITHM] = (byte) pointer.checksumAlgorithm().id();
  }

  private static Compression[] compressionsById() {
    Compression[] byId = new Compression[256];
    for (Compression compression : Compression.values()) {
      byId[compression.id()] = compression;
    }
    return byId;
  }

  private static ChecksumAlgorithm[] checksumsById() {
    ChecksumAlgorithm[] byId = new ChecksumAlgorithm[256];
    for (ChecksumAlgorithm algorithm : ChecksumAlgorithm.values()) {
      byId[algorithm.id()] = algorithm;
    }
    return byId;
  }
}
