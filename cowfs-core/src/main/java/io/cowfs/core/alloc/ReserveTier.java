package io.cowfs.core.alloc;

/** Who asks for space: the more a request helps to get space back, the deeper it may dig. */
public enum ReserveTier {
  /** Leaves the whole reserve. */
  WRITE(2),
  /** Deleting and truncating: leaves half. */
  DELETE(1),
  /** Destroying snapshots and datasets: leaves a quarter. */
  DESTROY(0.5),
  /** What a commit cannot do without: leaves nothing. */
  COMMIT(0);

  private final double halves;

  ReserveTier(double halves) {
    this.halves = halves;
  }

  /** How much of a reserve this tier must leave, in the unit given. */
  long leaves(long reserve) {
    return (long) (reserve * halves / 2);
  }
}
