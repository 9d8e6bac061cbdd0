package io.cowfs.core.scrub;

import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.device.DeviceLayout;
import java.util.HashMap;
import java.util.Map;

/**
 * Of each sector, when the oldest of the references to it was born; told apart only for the txgs of
 * the ring. Takes a bit for a sector whose oldest reference is from before, a byte for one that is
 * near a younger one. Confined to one thread.
 */
final class SectorBirths {
  private static final int PAGE_SECTORS = 512;

  private final long lastTxg;

  /** Births up to this one are not told apart. */
  private final long baseTxg;

  private final SectorCounts old = new SectorCounts();

  /** Births since {@link #baseTxg}, 0 for none. */
  private final Map<Long, byte[]> recent = new HashMap<>();

  /**
   * @param lastTxg the newest one of the ring
   */
  SectorBirths(long lastTxg) {
    this.lastTxg = lastTxg;
    this.baseTxg = lastTxg - DeviceLayout.RING_SLOTS;
  }

  /**
   * Adds a reference.
   *
   * @throws CorruptBlockException when it was born after the last txg
   */
  void add(long sector, int count, long birthTxg) throws CorruptBlockException {
    if (birthTxg > lastTxg) {
      throw new CorruptBlockException(
          "sector %d was born in transaction %d, after %d".formatted(sector, birthTxg, lastTxg));
    }
    if (birthTxg <= baseTxg) {
      old.add(sector, count, twice -> {});
      return;
    }
    int age = (int) (birthTxg - baseTxg);
    for (long s = sector; s < sector + count; s++) {
      byte[] page = recent.computeIfAbsent(s / PAGE_SECTORS, key -> new byte[PAGE_SECTORS]);
      int at = (int) (s % PAGE_SECTORS);
      int before = Byte.toUnsignedInt(page[at]);
      page[at] = (byte) (before == 0 ? age : Math.min(before, age));
    }
  }

  /** Whether each sector of a range has a reference that was born in this txg or before. */
  boolean allBornBy(long txg, long sector, int count) {
    for (long s = sector; s < sector + count; s++) {
      if (!old.contains(s)) {
        byte[] page = recent.get(s / PAGE_SECTORS);
        int age = page == null ? 0 : Byte.toUnsignedInt(page[(int) (s % PAGE_SECTORS)]);
        if (age == 0 || baseTxg + age > txg) {
          return false;
        }
      }
    }
    return true;
  }
}
