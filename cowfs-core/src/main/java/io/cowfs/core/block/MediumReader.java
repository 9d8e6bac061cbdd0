package io.cowfs.core.block;

import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.SectorChecksums;
import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DeviceCopy;
import io.cowfs.core.device.DeviceCopy.Source;
import io.cowfs.core.device.DeviceLayout;
import io.cowfs.core.memory.DirectBuffers;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Supplier;

/**
 * Reads blocks and extents as the device has them, past all caches, to find damage: every copy of
 * them, and those that are bad are repaired where another one is good. Extents are only compared
 * with their checksums, which cover what is stored: nothing is decompressed. Adjacent ones are read
 * at once, and several runs of them at the same time, as devices like it. Not for what a txg wrote
 * that is not durable yet. Confined to one thread, apart from its own readers.
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
  private final GoodCopy copies;
  private final Supplier<ExecutorService> newReaders;
  private final ByteBuffer block = DirectBuffers.aligned(DataExtent.LOGICAL_BYTES_MAX);

  /** Started when there is something for them; null before. */
  private ExecutorService readers;

  private final BlockingQueue<RunReader> idle = new LinkedBlockingQueue<>();

  /** Receives what is damaged. */
  @FunctionalInterface
  public interface DamageVisitor {
    /**
     * One extent of which no copy is good, each of which was read twice.
     *
     * @param badSectors counted within the extent; all of a compressed one
     * @param what is wrong, for a user
     */
    void damaged(DataExtent extent, BitSet badSectors, String what) throws IOException;
  }

  private record Damage(DataExtent extent, BitSet badSectors, String what) {}

  /**
   * @param newReaders makes the threads that read extents; ended with this
   */
  MediumReader(
      BlockStore store, BlockDevice device, GoodCopy copies, Supplier<ExecutorService> newReaders) {
    this.store = store;
    this.device = device;
    this.copies = copies;
    this.newReaders = newReaders;
  }

  /**
   * The content of a block, verified in all copies.
   *
   * @throws CorruptBlockException when none matches its checksum
   */
  public byte[] readBlock(BlockPointer pointer) throws IOException {
    int bytes = pointer.sectors() * SECTOR_BYTES;
    List<Long> places = store.placesOnDevice(pointer, 0);
    if (bytes > block.capacity() || places.isEmpty()) {
      throw new CorruptBlockException(
          device.name() + ": sector " + pointer.sector() + " is not on the device");
    }
    copies.scrub(places, block.clear().limit(bytes), store.check(pointer));
    byte[] stored = new byte[pointer.storedBytes()];
    block.get(0, stored);
    return store.decode(pointer, stored);
  }

  /**
   * Verifies extents, in all their places. An error of the device counts as damage of where it
   * occurs.
   *
   * @param visitor called by this thread, in the order of places
   * @throws IOException only what the visitor throws
   */
  public void verify(List<DataExtent> extents, DamageVisitor visitor) throws IOException {
    List<DataExtent> ordered = new ArrayList<>(extents.size());
    IdentityHashMap<DataExtent, DataExtent> wholes = new IdentityHashMap<>();
    for (DataExtent extent : extents) {
      for (int i = 0; i < extent.places(); i++) {
        DataExtent place = extent.atPlace(i);
        ordered.add(place);
        wholes.put(place, extent);
      }
    }
    ordered.sort(BY_PLACE);
    List<Future<List<Damage>>> runs = new ArrayList<>();
    int first = 0;
    while (first < ordered.size()) {
      int end = endOfRun(ordered, first);
      List<DataExtent> run = ordered.subList(first, end);
      runs.add(readers().submit(() -> verifyRun(run, wholes)));
      first = end;
    }
    List<Damage> found = new ArrayList<>();
    for (Future<List<Damage>> run : runs) {
      found.addAll(resultOf(run));
    }
    IdentityHashMap<DataExtent, Boolean> told = new IdentityHashMap<>();
    for (Damage damage : found) {
      if (told.put(damage.extent(), true) != null) {
        continue; // By way of another of its places.
      }
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

  /** Threads for one of these: several, as devices like it. */
  static ExecutorService newThreads() {
    return Executors.newFixedThreadPool(
        READERS,
        task -> {
          Thread thread = new Thread(task, "cowfs-scrub-reader");
          thread.setDaemon(true);
          return thread;
        });
  }

  private ExecutorService readers() {
    if (readers == null) {
      readers = newReaders.get();
      for (int i = 0; i < READERS; i++) {
        idle.add(new RunReader());
      }
    }
    return readers;
  }

  private List<Damage> verifyRun(
      List<DataExtent> run, IdentityHashMap<DataExtent, DataExtent> wholes)
      throws InterruptedException {
    RunReader reader = idle.take();
    try {
      return reader.verify(run, wholes);
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

  /** Ends its readers. Nothing of it may be in use. */
  @Override
  public void close() {
    if (readers != null) {
      readers.shutdown();
    }
  }

  /** Verifies adjacent extents; used by one reader at a time. */
  private final class RunReader {
    private final ByteBuffer run = DirectBuffers.large(RUN_BYTES_MAX);
    private final ByteBuffer single = DirectBuffers.aligned(DataExtent.LOGICAL_BYTES_MAX);

    /** For copies beside the first one; null until there is one. */
    private ByteBuffer other;

    private final List<Damage> found = new ArrayList<>();

    /**
     * Verifies a run.
     *
     * @param extents each in one of its places
     * @param wholes those with all places
     */
    List<Damage> verify(List<DataExtent> extents, IdentityHashMap<DataExtent, DataExtent> wholes) {
      long start = extents.get(0).sector();
      DataExtent last = extents.get(extents.size() - 1);
      int bytes = (int) (last.sector() + last.sectors() - start) * SECTOR_BYTES;
      if (store.isOnDevice(start, bytes)) {
        List<DeviceCopy> all = device.copies(start * SECTOR_BYTES);
        DeviceCopy first = all.get(0);
        boolean isRead = tryRead(first, run, start, bytes);
        List<DataExtent> good = new ArrayList<>();
        for (DataExtent extent : extents) {
          if (isRead && badSectors(extent, run, placeIn(run, start, extent)).isEmpty()) {
            good.add(extent);
          } else {
            verifyAlone(wholes.get(extent));
          }
        }
        for (DeviceCopy copy : all.subList(1, all.size())) {
          compare(copy, first, start, bytes, good);
        }
      } else {
        extents.forEach(extent -> verifyAlone(wholes.get(extent)));
      }
      List<Damage> result = List.copyOf(found);
      found.clear();
      return result;
    }

    private static int placeIn(ByteBuffer buffer, long start, DataExtent extent) {
      return buffer.position() + (int) (extent.sector() - start) * SECTOR_BYTES;
    }

    /** Another copy of a run of which these extents are good in the first one. */
    private void compare(
        DeviceCopy copy, DeviceCopy first, long start, int bytes, List<DataExtent> good) {
      if (other == null) {
        other = DirectBuffers.large(RUN_BYTES_MAX);
      }
      boolean isRead = tryRead(copy, other, start, bytes);
      int badFrom = -1;
      int badEnd = -1;
      for (DataExtent extent : good) {
        int at = placeIn(run, start, extent);
        if (isRead && badSectors(extent, other, at).isEmpty()) {
          continue;
        }
        if (isRead) {
          copy.mismatched();
        }
        // Neighbours are written at once.
        if (at != badEnd) {
          overwrite(copy, first, start, badFrom, badEnd);
          badFrom = at;
        }
        badEnd = at + extent.sectors() * SECTOR_BYTES;
      }
      overwrite(copy, first, start, badFrom, badEnd);
    }

    private void overwrite(DeviceCopy bad, DeviceCopy good, long start, int from, int end) {
      if (end > from) {
        copies.repair(bad, start + from / SECTOR_BYTES, good, run.slice(from, end - from));
      }
    }

    private boolean tryRead(DeviceCopy copy, ByteBuffer buffer, long sector, int bytes) {
      try {
        copy.read(buffer.clear().limit(bytes), sector * SECTOR_BYTES, Source.MEDIUM);
        buffer.flip();
        return true;
      } catch (IOException failure) {
        return false;
      }
    }

    /** Reads all copies of an extent once more, and tells each sector of it that is bad in all. */
    private void verifyAlone(DataExtent extent) {
      if (store.placesOnDevice(extent, 0).isEmpty()) {
        report(extent, all(extent), " is not on the device");
        return;
      }
      int unit = extent.isPlain() ? 1 : extent.sectors();
      BitSet bad = new BitSet();
      IOException first = null;
      for (int i = 0; i < extent.sectors(); i += unit) {
        DataExtent part = extent.isPlain() ? extent.slice(i, 1) : extent;
        try {
          copies.scrub(
              store.placesOnDevice(part, 0),
              single.clear().limit(unit * SECTOR_BYTES),
              content -> requireMatch(part, content));
        } catch (IOException failure) {
          bad.set(i, i + unit);
          first = first == null ? failure : first;
        }
      }
      if (first != null) {
        report(
            extent,
            bad,
            first instanceof CorruptBlockException
                ? first.getMessage()
                : " cannot be read: " + first.getMessage());
      }
    }

    private static void requireMatch(DataExtent part, ByteBuffer content)
        throws CorruptBlockException {
      if (!badSectors(part, content, content.position()).isEmpty()) {
        throw new CorruptBlockException(" does not match its checksum");
      }
    }

    private void report(DataExtent extent, BitSet bad, String what) {
      long sector = extent.sector() + bad.nextSetBit(0);
      found.add(new Damage(extent, bad, device.name() + ": sector " + sector + what));
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
