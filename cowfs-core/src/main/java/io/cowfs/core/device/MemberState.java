package io.cowfs.core.device;

/** What a member of a mirror is good for. The ordinals are permanent. */
public enum MemberState {
  /** It has everything. */
  ONLINE,
  /** Taken out by the administrator. */
  OFFLINE,
  /** A write or a sync of it failed: it is not used any more. */
  FAULTED,
  /** It is not there, or is not what it should be. */
  UNAVAIL,
  /** It gets all that is written, and what it has missed is being copied. */
  RESILVERING;

  /** Whether it gets what is written. */
  public boolean isWritten() {
    return this == ONLINE || this == RESILVERING;
  }
}
