package io.cowfs.core.block;

import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.SectorChecksums;
import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DeviceLayout;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Reads blocks and extents as the device has them, past all caches, to find damage. Extents are
 * only compared with their checksums, which cover what is stored: nothing is decompressed. Adjacent
 * ones are read at once, and several runs of them at the same time, as devices like it. Not for
 * what a txg wrote that is not durable yet. Confined to one thread, apart from its own readers.
 */
public final class MediumReader implements Closeable {
  private static final int SECTOR_BYTES = DeviceLayout.SECTOR_BYTES;

  /** The most that is read from the device at once. */
  private static final int RUN_BYTES_MAX = 1 << 20;

  private static final int READERS = 4;

  private static final Comparator<DataExtent> BY_PLACE =
      Comparator.comparingLong(DataExtent::sector);

  private final BlockStore store;
  private final BlockDevice device;
  private final ByteBuffer block = aligned(DataExtent.LOGICAL_BYTES_MAX);

  /** Started when there is something for them; null before. */
  private ExecutorService readers;

  private final BlockingQueue<RunReader> idle = new LinkedBlockingQueue<>();

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

  private record Damage(DataExtent extent, BitSet badSectors, String what) {}

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
    int bytes = pointer.sectors() * SECTOR_BYTES;
    if (bytes > block.capacity() || !isOnDevice(pointer.sector(), bytes)) {
      throw new CorruptBlockException(
          device.name() + ": sector " + pointer.sector() + " is not on the device");
    }
    device.readMedium(block.clear().limit(bytes), pointer.sector() * SECTOR_BYTES);
    byte[] stored = new byte[pointer.storedBytes()];
    block.get(0, stored);
    return store.decode(pointer, stored);
  }

  /**
   * Verifies extents. An error of the device counts as damage of where it occurs.
   *
   * @param visitor called by this thread, in the order of places
   * @throws IOException only what the visitor throws
   */
  public void verify(List<DataExtent> extents, DamageVisitor visitor) throws IOException {
    List<DataExtent> ordered = new ArrayList<>(extents);
    ordered.sort(BY_PLACE);
    List<Future<List<Damage>>> runs = new ArrayList<>();
    int first = 0;
    while (first < ordered.size()) {
      int end = endOfRun(ordered, first);
      List<DataExtent> run = ordered.subList(first, end);
      runs.add(readers().submit(() -> verifyRun(run)));
      first = end;
    }
    List<Damage> found = new ArrayList<>();
    for (Future<List<Damage>> run : runs) {
      found.addAll(resultOf(run));
    }
    for (Damage damage : found) {
      visitor.damaged(damage.extent(), damage.badSectors(), damage.what());
    }
  }

  private static int endOfRun(List<DataExtent> ordered, int first) {
    long start = ordered.get(first).sector();
    long next = start;
    int end = first;
    while (end < ordered.size()
        && ordered.get(end).sector() == next
        && (next - start + ordered.get(end).sectors()) * SECTOR_BYTES <= RUN_BYTES_MAX) {
      next += ordered.get(end).sectors();
      end++;
    }
    return end;
  }

  private ExecutorService readers() {
    if (readers == null) {
      readers =
          Executors.newFixedThreadPool(
              READERS,
              task -> {
                Thread thread = new Thread(task, "cowfs-scrub-reader");
                thread.setDaemon(true);
                return thread;
              });
      for (int i = 0; i < READERS; i++) {
        idle.add(new RunReader());
      }
    }
    return readers;
  }

  private List<Damage> verifyRun(List<DataExtent> run) throws InterruptedException {
    RunReader reader = idle.take();
    try {
      return reader.verify(run);
    } finally {
      idle.add(reader);
    }
  }

  private static <T> T resultOf(Future<T> future) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return future.get();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          throw new IllegalStateException(e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private boolean isOnDevice(long sector, int bytes) {
    return sector >= DeviceLayout.DATA_FIRST_SECTOR
        && sector <= device.capacity() / SECTOR_BYTES
        && bytes <= device.capacity() - sector * SECTOR_BYTES;
  }

  /** Ends its readers. Nothing of it may be in use. */
  @Override
  public void close() {
    if (readers != null) {
      readers.shutdown();
    }
  }

  /** Verifies adjacent extents; used by one reader at a time. */
  private final class RunReader {
    private final ByteBuffer run = aligned(RUN_BYTES_MAX);
    private final ByteBuffer single = aligned(DataExtent.LOGICAL_BYTES_MAX);
    private final List<Damage> found = new ArrayList<>();

    List<Damage> verify(List<DataExtent> extents) {
      long start = extents.get(0).sector();
      DataExtent last = extents.get(extents.size() - 1);
      int bytes = (int) (last.sector() + last.sectors() - start) * SECTOR_BYTES;
      boolean read = isOnDevice(start, bytes) && tryRead(run, start, bytes) == null;
      for (DataExtent extent : extents) {
        int at = (int) (extent.sector() - start) * SECTOR_BYTES;
        if (!read || !badSectors(extent, run, at).isEmpty()) {
          verifyAlone(extent);
        }
      }
      List<Damage> result = List.copyOf(found);
      found.clear();
      return result;
    }

    /** Reads an extent once more, and tells each sector of it that is bad. */
    private void verifyAlone(DataExtent extent) {
      int bytes = extent.sectors() * SECTOR_BYTES;
      if (!isOnDevice(extent.sector(), bytes)) {
        report(extent, all(extent), " is not on the device");
        return;
      }
      IOException failure = tryRead(single, extent.sector(), bytes);
      if (failure == null) {
        report(extent, badSectors(extent, single, 0), " does not match its checksum");
      } else {
        BitSet bad = extent.isPlain() ? unreadableSectors(extent) : all(extent);
        report(extent, bad, " cannot be read: " + failure.getMessage());
      }
    }

    private void report(DataExtent extent, BitSet bad, String what) {
      if (!bad.isEmpty()) {
        long sector = extent.sector() + bad.nextSetBit(0);
        found.add(new Damage(extent, bad, device.name() + ": sector " + sector + what));
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

    /** Returns why it failed; null when it did not. */
    private IOException tryRead(ByteBuffer buffer, long sector, int bytes) {
      try {
        device.readMedium(buffer.clear().limit(bytes), sector * SECTOR_BYTES);
        return null;
      } catch (IOException failure) {
        return failure;
      }
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
