package io.cowfs.core.device;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * A device in memory that behaves like a disk behind a cache, and fails on demand. Thread-safe.
 *
 * <p>Writes and punches since the last sync are kept apart, in order. {@link #crash} ends this
 * device and gives the one that is found after the restart: of each unsynced write all, nothing, or
 * any of its units of 512 bytes has survived, whatever happened to the others.
 *
 * <p>As with a real one, after a sync that failed every later write and sync fails.
 */
public final class FaultInjectingDevice implements BlockDevice {
  /** What can be made to fail. */
  public enum Operation {
    READ,
    WRITE,
    SYNC,
    PREALLOCATE,
    PUNCH
  }

  /** How it fails. */
  public enum Fault {
    IO_ERROR,
    HOST_FULL
  }

  private static final int SECTOR_BYTES = DeviceLayout.SECTOR_BYTES;

  /** What a disk writes in one piece, at least. */
  private static final int TEAR_BYTES = 512;

  /** A write, or a punch when {@code bytes} is null. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Pending(long offset, long length, byte[] bytes) {}

  private static final class Plan {
    private long done;
    private long failFrom = Long.MAX_VALUE;
    private long failUntil;
    private Fault fault = Fault.IO_ERROR;
  }

  private final long capacityBytes;
  private final Map<Long, byte[]> durable = new HashMap<>();
  private final Map<Long, byte[]> current = new HashMap<>();
  private final Set<Long> preallocated = new HashSet<>();
  private final List<Pending> pending = new ArrayList<>();
  private final Map<Operation, Plan> plans = new EnumMap<>(Operation.class);
  private final Map<Long, Integer> mediumReads = new HashMap<>();
  private final Set<Long> badSectors = new HashSet<>();
  private Runnable mediumObserver = () -> {};
  private long hostBytes = Long.MAX_VALUE;
  private long usedExtent;
  private boolean ignoreSyncs;
  private boolean syncFailed;
  private boolean crashed;
  private boolean closed;
  private long bytesPunched;

  /** An empty device. */
  public FaultInjectingDevice(long capacityBytes) {
    this.capacityBytes = capacityBytes;
    for (Operation operation : Operation.values()) {
      plans.put(operation, new Plan());
    }
  }

  // ---- what tests ask for ----

  /** Makes the n-th operation of this kind from now fail, counted from 1, and none after it. */
  public synchronized void failOnce(Operation operation, long nth, Fault fault) {
    plan(operation, nth, nth, fault);
  }

  /** Makes the n-th operation of this kind from now fail, counted from 1, and every later one. */
  public synchronized void failFrom(Operation operation, long nth, Fault fault) {
    plan(operation, nth, Long.MAX_VALUE / 2, fault);
  }

  /** Takes back what was planned. */
  public synchronized void failNoMore(Operation operation) {
    plans.get(operation).failFrom = Long.MAX_VALUE;
  }

  private void plan(Operation operation, long from, long until, Fault fault) {
    Plan plan = plans.get(operation);
    plan.failFrom = plan.done + from;
    plan.failUntil = plan.done + until;
    plan.fault = fault;
  }

  /** How often an operation was called, failed calls included. */
  public synchronized long count(Operation operation) {
    return plans.get(operation).done;
  }

  public synchronized long bytesPunched() {
    return bytesPunched;
  }

  /** Writes that were not synced yet. */
  public synchronized int unsyncedWrites() {
    return pending.size();
  }

  /** Has something done before each read from the medium, by the thread that reads. */
  public synchronized void onMediumReads(Runnable newObserver) {
    mediumObserver = newObserver;
  }

  /** Reading this sector from the medium fails from now on. */
  public synchronized void failMediumReads(long sector) {
    badSectors.add(sector);
  }

  /** How often each sector was read from the medium since the last call. */
  public synchronized Map<Long, Integer> takeMediumReads() {
    Map<Long, Integer> taken = new HashMap<>(mediumReads);
    mediumReads.clear();
    return taken;
  }

  /** The host has room for so many bytes of this device in all. */
  public synchronized void limitHostSpace(long bytes) {
    hostBytes = bytes;
  }

  /** The bytes that take space on the host now. */
  public synchronized long hostBytesUsed() {
    Set<Long> backed = new HashSet<>(preallocated);
    backed.addAll(current.keySet());
    return (long) backed.size() * SECTOR_BYTES;
  }

  /** A disk that lies: sync reports success and does nothing. */
  public synchronized void ignoreSyncs() {
    ignoreSyncs = true;
  }

  /** Damages the stored bytes, as if the medium had decayed. */
  public synchronized void flipBit(long offset, int bit) {
    long sector = offset / SECTOR_BYTES;
    int at = (int) (offset % SECTOR_BYTES);
    for (Map<Long, byte[]> image : List.of(durable, current)) {
      byte[] bytes = image.getOrDefault(sector, new byte[SECTOR_BYTES]).clone();
      bytes[at] ^= (byte) (1 << bit);
      image.put(sector, bytes);
    }
  }

  /**
   * The power fails. This device is dead; its successor holds what was synced and a random part of
   * what was not. Without faults and limits of its own.
   */
  public synchronized FaultInjectingDevice crash(Random random) {
    crashed = true;
    FaultInjectingDevice survivor = new FaultInjectingDevice(capacityBytes);
    survivor.durable.putAll(durable);
    survivor.preallocated.addAll(preallocated);
    survivor.usedExtent = usedExtent;
    int mood = random.nextInt(4);
    for (Pending write : pending) {
      survivor.apply(survivor.durable, surviving(write, mood, random));
    }
    survivor.current.putAll(survivor.durable);
    return survivor;
  }

  /** A clean restart: everything that was written is there. */
  public synchronized FaultInjectingDevice reopen() {
    crashed = true;
    FaultInjectingDevice successor = new FaultInjectingDevice(capacityBytes);
    successor.durable.putAll(current);
    successor.current.putAll(current);
    successor.preallocated.addAll(preallocated);
    successor.usedExtent = usedExtent;
    return successor;
  }

  /** The parts of a write that reached the medium. Moods: none, all, whole writes, any units. */
  private static List<Pending> surviving(Pending write, int mood, Random random) {
    boolean whole = mood == 1 || (mood == 2 && random.nextBoolean());
    if (whole) {
      return List.of(write);
    }
    if (mood != 3) {
      return List.of();
    }
    List<Pending> units = new ArrayList<>();
    int unitBytes = random.nextInt(4) == 0 ? TEAR_BYTES : SECTOR_BYTES;
    for (long at = 0; at < write.length(); at += unitBytes) {
      if (random.nextBoolean()) {
        long length = Math.min(unitBytes, write.length() - at);
        byte[] bytes =
            write.bytes() == null
                ? null
                : Arrays.copyOfRange(write.bytes(), (int) at, (int) (at + length));
        units.add(new Pending(write.offset() + at, length, bytes));
      }
    }
    return units;
  }

  // ---- the device ----

  @Override
  public synchronized void read(ByteBuffer destination, long offset) throws IOException {
    begin(Operation.READ);
    long at = offset;
    while (destination.hasRemaining()) {
      int from = (int) (at % SECTOR_BYTES);
      int count = Math.min(destination.remaining(), SECTOR_BYTES - from);
      byte[] sector = current.get(at / SECTOR_BYTES);
      destination.put(sector == null ? new byte[SECTOR_BYTES] : sector, from, count);
      at += count;
    }
  }

  @Override
  public synchronized void readMedium(ByteBuffer destination, long offset) throws IOException {
    mediumObserver.run();
    for (long at = offset; at < offset + destination.remaining(); at += SECTOR_BYTES) {
      mediumReads.merge(at / SECTOR_BYTES, 1, Integer::sum);
      if (badSectors.contains(at / SECTOR_BYTES)) {
        throw new IOException(name() + ": bad sector");
      }
    }
    read(destination, offset);
  }

  @Override
  public synchronized void write(ByteBuffer source, long offset) throws IOException {
    begin(Operation.WRITE);
    if (syncFailed) {
      throw new IOException(name() + ": an earlier sync failed");
    }
    if (offset < 0 || source.remaining() > capacityBytes - offset) {
      throw new IOException(name() + ": write at " + offset + " is beyond the end");
    }
    checkHostSpace(offset, source.remaining());
    byte[] bytes = new byte[source.remaining()];
    source.get(bytes);
    Pending write = new Pending(offset, bytes.length, bytes);
    pending.add(write);
    apply(current, List.of(write));
    usedExtent = Math.max(usedExtent, offset + bytes.length);
  }

  @Override
  public void write(ByteBuffer[] sources, long offset) throws IOException {
    int bytes = 0;
    for (ByteBuffer source : sources) {
      bytes += source.remaining();
    }
    ByteBuffer joined = ByteBuffer.allocate(bytes);
    for (ByteBuffer source : sources) {
      joined.put(source);
    }
    write(joined.flip(), offset);
  }

  @Override
  public synchronized void sync() throws IOException {
    if (!crashed && syncFailed) {
      throw new IOException(name() + ": an earlier sync failed");
    }
    try {
      begin(Operation.SYNC);
    } catch (IOException e) {
      syncFailed = true;
      throw e;
    }
    if (!ignoreSyncs) {
      apply(durable, pending);
      pending.clear();
    }
  }

  @Override
  public synchronized void punch(long offset, long length) throws IOException {
    begin(Operation.PUNCH);
    Pending punch = new Pending(offset, length, null);
    pending.add(punch);
    apply(current, List.of(punch));
    bytesPunched += length;
    for (long sector = offset / SECTOR_BYTES; sector < (offset + length) / SECTOR_BYTES; sector++) {
      preallocated.remove(sector);
    }
  }

  @Override
  public synchronized void preallocate(long offset, long length) throws IOException {
    begin(Operation.PREALLOCATE);
    checkHostSpace(offset, length);
    for (long at = offset; at < offset + length; at += SECTOR_BYTES) {
      preallocated.add(at / SECTOR_BYTES);
    }
    usedExtent = Math.max(usedExtent, offset + length);
  }

  private void checkHostSpace(long offset, long length) throws HostFullException {
    if (hostBytes == Long.MAX_VALUE) {
      return;
    }
    long missing = 0;
    long end = (offset + length + SECTOR_BYTES - 1) / SECTOR_BYTES;
    for (long sector = offset / SECTOR_BYTES; sector < end; sector++) {
      if (!preallocated.contains(sector) && !current.containsKey(sector)) {
        missing += SECTOR_BYTES;
      }
    }
    if (missing > 0 && missing > hostBytes - hostBytesUsed()) {
      throw new HostFullException(name() + ": no space left on the host file system", null);
    }
  }

  private void begin(Operation operation) throws IOException {
    if (crashed || closed) {
      throw new IOException(name() + (crashed ? ": crashed" : ": closed"));
    }
    Plan plan = plans.get(operation);
    plan.done++;
    if (plan.done >= plan.failFrom && plan.done <= plan.failUntil) {
      if (plan.fault == Fault.HOST_FULL) {
        throw new HostFullException(name() + ": no space left on the host file system", null);
      }
      throw new IOException(name() + ": Input/output error (injected, " + operation + ")");
    }
  }

  /** Sectors are replaced, not changed, because images share them. */
  private void apply(Map<Long, byte[]> image, List<Pending> changes) {
    for (Pending change : changes) {
      long done = 0;
      while (done < change.length()) {
        long at = change.offset() + done;
        int from = (int) (at % SECTOR_BYTES);
        int count = (int) Math.min(change.length() - done, SECTOR_BYTES - from);
        if (change.bytes() == null && count == SECTOR_BYTES) {
          image.remove(at / SECTOR_BYTES);
        } else {
          byte[] sector = image.getOrDefault(at / SECTOR_BYTES, new byte[SECTOR_BYTES]).clone();
          if (change.bytes() == null) {
            Arrays.fill(sector, from, from + count, (byte) 0);
          } else {
            System.arraycopy(change.bytes(), (int) done, sector, from, count);
          }
          image.put(at / SECTOR_BYTES, sector);
        }
        done += count;
      }
    }
  }

  @Override
  public long capacity() {
    return capacityBytes;
  }

  @Override
  public synchronized long usedExtent() {
    return usedExtent;
  }

  @Override
  public synchronized long hostFreeBytes() {
    return hostBytes == Long.MAX_VALUE ? Long.MAX_VALUE : Math.max(0, hostBytes - hostBytesUsed());
  }

  @Override
  public String name() {
    return "memory";
  }

  /**
   * What was not synced is still there when the device is reopened: a process ended, not the power.
   */
  @Override
  public synchronized void close() {
    closed = true;
  }

  public synchronized boolean isClosed() {
    return closed;
  }
}
