package io.cowfs.core.device;

import java.io.IOException;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One of the devices of a mirror: its state, and how often it failed since it was opened.
 * Thread-safe. The state is changed by its {@link MirrorDevice} alone.
 */
public final class MirrorMember {
  private final int number;
  private volatile UUID uuid;
  private final String name;

  /** Null while it is not open. */
  private volatile BlockDevice device;

  private volatile MemberState state;
  private volatile String problem;
  private final AtomicInteger activeReads = new AtomicInteger();
  private final AtomicLong readErrors = new AtomicLong();
  private final AtomicLong writeErrors = new AtomicLong();
  private final AtomicLong checksumErrors = new AtomicLong();
  private final AtomicLong resilveredBytes = new AtomicLong();

  private MirrorMember(
      int number, UUID uuid, String name, BlockDevice device, MemberState state, String problem) {
    this.number = number;
    this.uuid = uuid;
    this.name = name;
    this.device = device;
    this.state = state;
    this.problem = problem;
  }

  /**
   * A member whose device is open; the mirror closes it.
   *
   * @param number by which the pool knows it
   * @param name for messages
   */
  public static MirrorMember of(
      int number, UUID uuid, String name, BlockDevice device, MemberState state) {
    return new MirrorMember(number, uuid, name, device, state, "");
  }

  /**
   * A member that is not open.
   *
   * @param problem why it is not, for users
   */
  public static MirrorMember absent(
      int number, UUID uuid, String name, MemberState state, String problem) {
    return new MirrorMember(number, uuid, name, null, state, problem);
  }

  public int number() {
    return number;
  }

  public UUID uuid() {
    return uuid;
  }

  public String name() {
    return name;
  }

  public MemberState state() {
    return state;
  }

  /** Why it is not in use; empty when there is nothing to say. */
  public String problem() {
    return problem;
  }

  public long readErrors() {
    return readErrors.get();
  }

  /** Failed writes and syncs. */
  public long writeErrors() {
    return writeErrors.get();
  }

  /** Things read that did not match their checksums. */
  public long checksumErrors() {
    return checksumErrors.get();
  }

  /** The device, for what concerns this member alone, its label and ring; empty when not open. */
  public Optional<BlockDevice> device() {
    return Optional.ofNullable(device);
  }

  BlockDevice opened() throws IOException {
    BlockDevice now = device;
    if (now == null) {
      throw new IOException(name + ": not in use");
    }
    return now;
  }

  void become(MemberState newState, String newProblem) {
    state = newState;
    problem = newProblem;
  }

  /** The only device of a pool becomes a member of a mirror: it has an identity now. */
  public void identify(UUID newUuid) {
    uuid = newUuid;
  }

  /** What catching up has written; bytes. */
  public long resilveredBytes() {
    return resilveredBytes.get();
  }

  void countResilvered(long bytes) {
    resilveredBytes.addAndGet(bytes);
  }

  /** Opened again: its device is another one. */
  void reopened(BlockDevice newDevice) {
    device = newDevice;
  }

  AtomicInteger activeReads() {
    return activeReads;
  }

  void countReadError() {
    readErrors.incrementAndGet();
  }

  void countWriteError() {
    writeErrors.incrementAndGet();
  }

  void countChecksumError() {
    checksumErrors.incrementAndGet();
  }
}
