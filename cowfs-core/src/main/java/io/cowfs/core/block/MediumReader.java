package io.cowfs.core.block;

import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.SectorChecksums;
import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DeviceLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/**
 * Reads blocks and extents as the device has them, past all caches, to find damage. Extents are
 * only compared with their checksums, which cover what is stored: nothing is decompressed. Adjacent
 * ones are read at once. Not for what a txg wrote that is not durable yet. Confined to one thread.
 */
public final class MediumReader {
  private static final int SECTOR_BYTES = DeviceLayout.SECTOR_BYTES;

  /** The most that is read from the device at once. */
  private static final int RUN_BYTES_MAX = 4 << 20;

  private static final Comparator<DataExtent> BY_PLACE =
      Comparator.comparingLong(DataExtent::sector);

  private final BlockStore store;
  private final BlockDevice device;
  private final ByteBuffer run = aligned(RUN_BYTES_MAX);
  private final ByteBuffer single = aligned(DataExtent.LOGICAL_BYTES_MAX);

  /** Receives what is damaged. */
  @FunctionalInterface
  public interface DamageVisitor {
    /**
     * One extent, which was read twice.
     *
     * @param badSectors counted within the extent; all of a compressed one
     * @param what is wrong, for a user
     */
    void damaged(DataExtent extent, BitSet badSectors, String what) throws IOException;
  }

  MediumReader(BlockStore store, BlockDevice device) {
    this.store = store;
    this.device = device;
  }

  private static ByteBuffer aligned(int bytes) {
    return ByteBuffer.allocateDirect(bytes + SECTOR_BYTES).alignedSlice(SECTOR_BYTES);
  }

  /**
   * The content of a block, verified.
   *
   * @throws CorruptBlockException when it does not match its checksum
   */
  public byte[] readBlock(BlockPointer pointer) throws IOException {
    return store.decode(pointer, readStored(pointer));
  }

  private byte[] readStored(BlockPointer pointer) throws IOException {
    int bytes = pointer.sectors() * SECTOR_BYTES;
    if (bytes > single.capacity() || !isOnDevice(pointer.sector(), bytes)) {
      throw new CorruptBlockException(
          device.name() + ": sector " + pointer.sector() + " is not on the device");
    }
    device.readMedium(single.clear().limit(bytes), pointer.sector() * SECTOR_BYTES);
    byte[] stored = new byte[pointer.storedBytes()];
    single.get(0, stored);
    return stored;
  }

  /**
   * Verifies extents, in the order of their places. An error of the device counts as damage of
   * where it occurs.
   *
   * @throws IOException only what the visitor throws
   */
  public void verify(List<DataExtent> extents, DamageVisitor visitor) throws IOException {
    List<DataExtent> ordered = new ArrayList<>(extents);
    ordered.sort(BY_PLACE);
    int first = 0;
    while (first < ordered.size()) {
      long start = ordered.get(first).sector();
      long next = start;
      int end = first;
      while (end < ordered.size()
          && ordered.get(end).sector() == next
          && (next - start + ordered.get(end).sectors()) * SECTOR_BYTES <= RUN_BYTES_MAX) {
        next += ordered.get(end).sectors();
        end++;
      }
      verifyRun(ordered.subList(first, end), (int) (next - start) * SECTOR_BYTES, visitor);
      first = end;
    }
  }

  private void verifyRun(List<DataExtent> extents, int bytes, DamageVisitor visitor)
      throws IOException {
    long start = extents.get(0).sector();
    boolean read = isOnDevice(start, bytes) && tryRead(run, start, bytes) == null;
    for (DataExtent extent : extents) {
      int at = (int) (extent.sector() - start) * SECTOR_BYTES;
      if (!read || !badSectors(extent, run, at).isEmpty()) {
        verifyAlone(extent, visitor);
      }
    }
  }

  /** Reads an extent once more, and tells each sector of it that is bad. */
  private void verifyAlone(DataExtent extent, DamageVisitor visitor) throws IOException {
    int bytes = extent.sectors() * SECTOR_BYTES;
    String place = device.name() + ": sector ";
    if (!isOnDevice(extent.sector(), bytes)) {
      visitor.damaged(extent, all(extent), place + extent.sector() + " is not on the device");
      return;
    }
    IOException failure = tryRead(single, extent.sector(), bytes);
    if (failure == null) {
      BitSet bad = badSectors(extent, single, 0);
      if (!bad.isEmpty()) {
        long sector = extent.sector() + bad.nextSetBit(0);
        visitor.damaged(extent, bad, place + sector + " does not match its checksum");
      }
      return;
    }
    BitSet bad = extent.isPlain() ? unreadableSectors(extent) : all(extent);
    if (!bad.isEmpty()) {
      long sector = extent.sector() + bad.nextSetBit(0);
      visitor.damaged(extent, bad, place + sector + " cannot be read: " + failure.getMessage());
    }
  }

  /** Those of a plain extent that cannot be read, or do not match. */
  private BitSet unreadableSectors(DataExtent extent) {
    BitSet bad = new BitSet();
    for (int i = 0; i < extent.sectors(); i++) {
      IOException failure = tryRead(single, extent.sector() + i, SECTOR_BYTES);
      if (failure != null || !badSectors(extent.slice(i, 1), single, 0).isEmpty()) {
        bad.set(i);
      }
    }
    return bad;
  }

  private boolean isOnDevice(long sector, int bytes) {
    return sector >= DeviceLayout.DATA_FIRST_SECTOR
        && sector <= device.capacity() / SECTOR_BYTES
        && bytes <= device.capacity() - sector * SECTOR_BYTES;
  }

  /** Returns why it failed; null when it did not. */
  private IOException tryRead(ByteBuffer buffer, long sector, int bytes) {
    try {
      device.readMedium(buffer.clear().limit(bytes), sector * SECTOR_BYTES);
      return null;
    } catch (IOException failure) {
      return failure;
    }
  }

  private static BitSet badSectors(DataExtent extent, ByteBuffer buffer, int at) {
    if (!extent.isPlain()) {
      ChecksumAlgorithm algorithm = extent.checksumAlgorithm();
      boolean matches = algorithm.of(buffer, at, extent.storedBytes()) == extent.checksum();
      return matches ? new BitSet() : all(extent);
    }
    BitSet bad = new BitSet();
    int[] expected = extent.checksumArray();
    int first = 0;
    while (first < extent.sectors()) {
      int mismatch =
          SectorChecksums.firstMismatch(
              buffer,
              at + first * SECTOR_BYTES,
              extent.sectors() - first,
              expected,
              extent.firstChecksum() + first);
      if (mismatch < 0) {
        break;
      }
      bad.set(first + mismatch);
      first += mismatch + 1;
    }
    return bad;
  }

  private static BitSet all(DataExtent extent) {
    BitSet all = new BitSet();
    all.set(0, extent.sectors());
    return all;
  }
}
