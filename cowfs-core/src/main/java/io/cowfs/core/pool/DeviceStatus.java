package io.cowfs.core.pool;

import io.cowfs.core.device.MemberState;

/**
 * A device of a pool at one moment. The errors are those since it was opened.
 *
 * @param name its path
 * @param readErrors reads that failed
 * @param writeErrors writes and syncs that failed
 * @param checksumErrors what did not match its checksum
 * @param note what else there is to say of it; may be empty
 */
public record DeviceStatus(
    String name,
    MemberState state,
    long readErrors,
    long writeErrors,
    long checksumErrors,
    String note) {
  /** Whether it was to get everything, and has not. */
  public boolean isBehind() {
    return state == MemberState.RESILVERING || state == MemberState.FAULTED;
  }
}
