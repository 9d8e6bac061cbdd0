package io.cowfs.core.block;

import io.cowfs.core.device.DeviceLayout;

/**
 * A pointer as what counts space sees it: the places where equal copies of the same stored bytes
 * are. Each place is a range of sectors, and all have the same birth: whoever counts, frees, lists
 * or marks what a pointer refers to does so for every place. Immutable.
 */
public sealed interface Reference permits BlockPointer, DataExtent {
  /** The most places that one pointer has. */
  int PLACES_MAX = 3;

  /** How many copies there are, from 1. */
  int places();

  /** The first sector of a copy; 0 is the one that is read first. */
  long place(int index);

  /** The sectors that each copy takes. */
  int sectors();

  /** The txg in which this reference was made. */
  long birthTxg();

  /** The sectors that all copies take. */
  default int allocatedSectors() {
    return places() * sectors();
  }

  /** Gives all places, the first one first. */
  default <X extends Exception> void forEachPlace(PlaceVisitor<X> visitor) throws X {
    for (int i = 0, places = places(); i < places; i++) {
      visitor.place(place(i), sectors(), birthTxg());
    }
  }

  /** Receives one place. */
  @FunctionalInterface
  interface PlaceVisitor<X extends Exception> {
    void place(long sector, int sectors, long birthTxg) throws X;
  }

  /** Whether data may begin at this sector of some device. */
  static boolean isPossiblePlace(long sector) {
    return sector >= DeviceLayout.DATA_FIRST_SECTOR && sector < BlockPointerFormat.SECTOR_LIMIT;
  }

  /** Whether two copies of so many sectors have no sector in common. */
  static boolean areApart(long first, long second, int sectors) {
    return Math.abs(first - second) >= sectors;
  }
}
