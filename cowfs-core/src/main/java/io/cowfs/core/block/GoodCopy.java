package io.cowfs.core.block;

import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DeviceCopy;
import io.cowfs.core.device.DeviceCopy.Source;
import io.cowfs.core.device.DeviceCopy.Trust;
import io.cowfs.core.device.DeviceLayout;
import io.cowfs.core.memory.DirectBuffers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/**
 * Finds a copy that matches its checksum, where one is stored several times, and writes it over
 * those that do not. Thread-safe.
 *
 * <p>The copies are those that the device keeps of each place of a pointer. One that cannot be
 * read, or does not match, is <em>bad</em>. Bad ones are repaired only from a copy of a device that
 * has everything: what a device that was away once had may be what was there before the space was
 * used again, and then whoever asks for it asks for something that is gone.
 *
 * <p>The caller has a hold on the space, so that nothing else is written there meanwhile.
 */
final class GoodCopy {
  private static final int SECTOR_BYTES = DeviceLayout.SECTOR_BYTES;

  private final BlockDevice device;
  private final Repair repair;
  private final RepairLog log = new RepairLog(System::nanoTime);
  private final LongAdder repairedBytes = new LongAdder();

  /** Compares content with its checksum. */
  @FunctionalInterface
  interface Check {
    /**
     * Leaves the buffer as it is.
     *
     * @param content its remaining bytes, which are whole sectors
     * @throws CorruptBlockException when it is not what it is to be
     */
    void verify(ByteBuffer content) throws CorruptBlockException;
  }

  /** Where one and the same content should be. */
  private record Candidate(long sector, DeviceCopy copy) {}

  GoodCopy(BlockDevice device, Repair repair) {
    this.device = device;
    this.repair = repair;
  }

  /**
   * Reads from the copy that is tried first, and verifies nothing.
   *
   * @param destination its remaining bytes are filled
   */
  void readFirst(ByteBuffer destination, long sector) throws IOException {
    long offset = sector * SECTOR_BYTES;
    device.copies(offset).get(0).read(destination, offset, Source.CACHE);
  }

  /**
   * Goes through all copies, after the first one turned out to be bad, until one is good; then
   * those before it are repaired.
   *
   * @param sectors the places that should have the content, in the order in which to try them
   * @param destination its remaining bytes are whole sectors; it gets the content, and its position
   *     stays
   * @param first what is wrong with what was read
   * @throws IOException {@code first}, when none is good
   */
  void recover(List<Long> sectors, ByteBuffer destination, Check check, IOException first)
      throws IOException {
    List<Candidate> candidates = candidates(sectors);
    if (candidates.size() == 1) {
      throw first;
    }
    List<Candidate> bad = new ArrayList<>();
    for (Candidate candidate : candidates) {
      IOException failure = attempt(candidate, destination, Source.CACHE, check);
      if (failure == null) {
        repair(bad, candidate, destination);
        return;
      }
      bad.add(candidate);
    }
    throw first;
  }

  /**
   * Reads every copy from its medium, and repairs those that are bad.
   *
   * @param destination as with {@link #recover}; a direct, aligned one reads past the host's cache
   * @throws IOException what is wrong with the first copy, when none is good
   */
  void scrub(List<Long> sectors, ByteBuffer destination, Check check) throws IOException {
    IOException first = null;
    Candidate good = null;
    List<Candidate> bad = new ArrayList<>();
    ByteBuffer scratch = null;
    for (Candidate candidate : candidates(sectors)) {
      if (good != null && scratch == null) {
        scratch = DirectBuffers.aligned(destination.remaining());
      }
      IOException failure =
          attempt(candidate, good == null ? destination : scratch, Source.MEDIUM, check);
      if (failure != null) {
        first = first == null ? failure : first;
        bad.add(candidate);
      } else if (good == null) {
        good = candidate;
      }
    }
    if (good == null) {
      throw first;
    }
    repair(bad, good, destination);
  }

  /** What has everything comes first, in all places. */
  private List<Candidate> candidates(List<Long> sectors) {
    List<Candidate> candidates = new ArrayList<>();
    for (Trust trust : Trust.values()) {
      for (long sector : sectors) {
        for (DeviceCopy copy : device.copies(sector * SECTOR_BYTES)) {
          if (copy.trust() == trust) {
            candidates.add(new Candidate(sector, copy));
          }
        }
      }
    }
    return candidates;
  }

  /** Returns what is wrong; null when the copy is good. */
  private static IOException attempt(
      Candidate candidate, ByteBuffer destination, Source source, Check check) {
    try {
      candidate.copy().read(destination.duplicate(), candidate.sector() * SECTOR_BYTES, source);
    } catch (IOException unreadable) {
      return unreadable;
    }
    try {
      check.verify(destination.duplicate());
      return null;
    } catch (CorruptBlockException mismatch) {
      candidate.copy().mismatched();
      return mismatch;
    }
  }

  private void repair(List<Candidate> bad, Candidate good, ByteBuffer content) {
    for (Candidate each : bad) {
      String source =
          each.sector() == good.sector() ? good.copy().name() : "sector " + good.sector();
      repair(each, good.copy(), source, content);
    }
  }

  /**
   * Writes over a bad copy, if that is to be.
   *
   * @param good where the content comes from, which was verified
   */
  void repair(DeviceCopy bad, long sector, DeviceCopy good, ByteBuffer content) {
    repair(new Candidate(sector, bad), good, good.name(), content);
  }

  private void repair(Candidate place, DeviceCopy good, String source, ByteBuffer content) {
    DeviceCopy bad = place.copy();
    long sector = place.sector();
    if (repair == Repair.NEVER || good.trust() != Trust.COMPLETE) {
      return;
    }
    try {
      bad.repair(content.duplicate(), sector * SECTOR_BYTES);
    } catch (IOException failure) {
      log.warn(
          "%s: sector %d is damaged and cannot be repaired: %s"
              .formatted(bad.name(), sector, failure.getMessage()));
      return;
    }
    if (bad.trust() == Trust.COMPLETE) {
      repairedBytes.add(content.remaining());
      log.warn("%s: sector %d was damaged: repaired from %s".formatted(bad.name(), sector, source));
    }
  }

  /** What was damaged and is written over, since this was made; each copy counts. */
  long repairedBytes() {
    return repairedBytes.sum();
  }
}
