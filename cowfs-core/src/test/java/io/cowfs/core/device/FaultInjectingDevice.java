package io.cowfs.core.device;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.zip.CRC32C;

/**
 * A device in memory that behaves like a disk behind a cache, and fails on demand. Thread-safe.
 *
 * <p>Writes and punches since the last sync are kept apart, in order. {@link #crash} ends this
 * device and gives the one that is found after the restart: of each unsynced write all, nothing, or
 * any of its units of 512 bytes has survived, whatever happened to the others.
 *
 * <p>As with a real one, after a sync that failed every later write and sync fails.
 *
 * <p>Everything that is asked of it, but reads past caches, goes into a {@linkplain #trace trace},
 * which its successors go on with: two runs that did the same have the same.
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

  /** How it fails. Those that nobody is told of are for reads and writes only. */
  public enum Fault {
    IO_ERROR,
    HOST_FULL,

    /** One bit of what is read or written is wrong. */
    BIT_ROT,

    /** Read is what was there before the last write. What is written does not arrive. */
    STALE,

    /** Another place on the device is read, or written. */
    MISDIRECTED;

    boolean isSilent() {
      return this != IO_ERROR && this != HOST_FULL;
    }
  }

  private static final int SECTOR_BYTES = DeviceLayout.SECTOR_BYTES;

  /** What a disk writes in one piece, at least. */
  private static final int TEAR_BYTES = 512;

  /** A write, or a punch when {@code bytes} is null. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Pending(long offset, long length, byte[] bytes) {}

  /** A sector of an image that is not what was written. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Decayed(SectorImage image, long sector, byte[] before, byte[] after) {}

  /** What devices run on: it fails for all of them at once. Thread-safe. */
  public static final class PowerSupply {
    /** Writes, syncs, punches and preallocations. */
    private long changes;

    private long failsAt = Long.MAX_VALUE;

    /** As {@link FaultInjectingDevice#failPowerAt} has it, for the changes of all its devices. */
    public synchronized void failAt(long nth) {
      failsAt = changes + nth;
    }

    public synchronized boolean isOn() {
      return changes < failsAt;
    }

    private synchronized void change() {
      changes++;
    }

    /** Whether the last change is the one during which it failed. */
    private synchronized boolean failsNow() {
      return changes == failsAt;
    }
  }

  private static final class Plan {
    private long done;
    private long failFrom = Long.MAX_VALUE;
    private long failUntil;
    private Fault fault = Fault.IO_ERROR;
  }

  private final long capacityBytes;
  private SectorImage durable = new SectorImage();
  private SectorImage current = new SectorImage();

  /** What each sector was before it was written last. */
  private SectorImage previous = new SectorImage();

  private final BitSet preallocated = new BitSet();
  private final List<Pending> pending = new ArrayList<>();
  private final Map<Operation, Plan> plans = new EnumMap<>(Operation.class);
  private final Map<Long, Integer> mediumReads = new HashMap<>();
  private final Set<Long> badSectors = new HashSet<>();
  private Runnable mediumObserver = () -> {};
  private final List<Decayed> decayed = new ArrayList<>();
  private long hostBytes = Long.MAX_VALUE;
  private long usedExtent;
  private boolean ignoreSyncs;
  private boolean syncFailed;
  private boolean crashed;
  private boolean closed;
  private long bytesPunched;

  private PowerSupply power = new PowerSupply();
  private long silentFaults;
  private long trace;
  private Runnable beforeSync = () -> {};

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
    if (fault.isSilent() && operation != Operation.READ && operation != Operation.WRITE) {
      throw new IllegalArgumentException(operation + " with " + fault);
    }
    Plan plan = plans.get(operation);
    plan.failFrom = plan.done + from;
    plan.failUntil = plan.done + until;
    plan.fault = fault;
  }

  /**
   * The power fails during the n-th change from now, counted from 1: that one may be done in part,
   * and nothing works after it. To be followed by {@link #crash}.
   */
  public synchronized void failPowerAt(long nth) {
    power.failAt(nth);
  }

  public synchronized boolean hasPower() {
    return power.isOn();
  }

  /** From now on it runs on this, as others may. */
  public synchronized void connect(PowerSupply supply) {
    power = supply;
  }

  /** How many faults nobody was told of. */
  public synchronized long silentFaults() {
    return silentFaults;
  }

  /** A hash of everything that this device and those before it were asked for, in order. */
  public synchronized long trace() {
    return trace;
  }

  /** Runs something in the thread that syncs, before each sync. */
  public synchronized void beforeSync(Runnable action) {
    beforeSync = action;
  }

  /** The sectors that have content, ascending. */
  public synchronized List<Long> writtenSectors() {
    return current.written();
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
    long sectors = preallocated.cardinality();
    for (long sector = 0; sector < current.end(); sector++) {
      sectors += current.has(sector) && !preallocated.get((int) sector) ? 1 : 0;
    }
    return sectors * SECTOR_BYTES;
  }

  /** A disk that lies: sync reports success and does nothing. */
  public synchronized void ignoreSyncs() {
    ignoreSyncs = true;
  }

  /** Damages the stored bytes, as if the medium had decayed. */
  public synchronized void flipBit(long offset, int bit) {
    long sector = offset / SECTOR_BYTES;
    int at = (int) (offset % SECTOR_BYTES);
    for (SectorImage image : List.of(durable, current)) {
      byte[] bytes = image.get(sector).clone();
      bytes[at] ^= (byte) (1 << bit);
      image.put(sector, bytes);
    }
  }

  /** Damages the stored bytes until they are {@link #heal healed} or written anew. */
  public synchronized void rot(long offset, int bit) {
    long sector = offset / SECTOR_BYTES;
    byte[] durableBefore = durable.find(sector);
    byte[] currentBefore = current.find(sector);
    flipBit(offset, bit);
    decayed.add(new Decayed(durable, sector, durableBefore, durable.get(sector)));
    decayed.add(new Decayed(current, sector, currentBefore, current.get(sector)));
  }

  /** Takes back what {@link #rot} did, where nothing else was written since. */
  public synchronized void heal() {
    for (int i = decayed.size() - 1; i >= 0; i--) {
      Decayed each = decayed.get(i);
      if (each.image.get(each.sector) == each.after) {
        each.image.put(each.sector, each.before);
      }
    }
    decayed.clear();
  }

  /**
   * The power fails. This device is dead; its successor holds what was synced and a random part of
   * what was not. Without faults and limits of its own.
   */
  public synchronized FaultInjectingDevice crash(Random random) {
    crashed = true;
    FaultInjectingDevice survivor = new FaultInjectingDevice(capacityBytes);
    survivor.durable = durable.copy();
    survivor.preallocated.or(preallocated);
    survivor.usedExtent = usedExtent;
    survivor.trace = trace;
    int mood = random.nextInt(4);
    for (Pending write : pending) {
      survivor.apply(survivor.durable, surviving(write, mood, random));
    }
    survivor.current = survivor.durable.copy();
    return survivor;
  }

  /** A clean restart: everything that was written is there. */
  public synchronized FaultInjectingDevice reopen() {
    crashed = true;
    FaultInjectingDevice successor = new FaultInjectingDevice(capacityBytes);
    successor.durable = current.copy();
    successor.current = current.copy();
    successor.preallocated.or(preallocated);
    successor.usedExtent = usedExtent;
    successor.previous = previous.copy();
    successor.trace = trace;
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
    note(Operation.READ, offset, destination.remaining());
    take(destination, offset);
  }

  private void take(ByteBuffer destination, long offset) throws IOException {
    int bytes = destination.remaining();
    Fault fault = begin(Operation.READ);
    int start = destination.position();
    long at = fault == Fault.MISDIRECTED ? elsewhere(offset, bytes) : offset;
    while (destination.hasRemaining()) {
      int from = (int) (at % SECTOR_BYTES);
      int count = Math.min(destination.remaining(), SECTOR_BYTES - from);
      long number = at / SECTOR_BYTES;
      byte[] sector = fault == Fault.STALE ? previous.get(number) : current.get(number);
      destination.put(sector, from, count);
      at += count;
    }
    if (fault == Fault.BIT_ROT) {
      int rotten = start + anyOf(bytes);
      destination.put(rotten, (byte) (destination.get(rotten) ^ (1 << anyOf(Byte.SIZE))));
    }
  }

  /** Another place for so many bytes, within what is in use. */
  private long elsewhere(long offset, int bytes) {
    long sectors = Math.max(1, (usedExtent - bytes) / SECTOR_BYTES);
    return (offset / SECTOR_BYTES + 1 + anyOf((int) sectors)) % sectors * SECTOR_BYTES
        + offset % SECTOR_BYTES;
  }

  /** Depends on what was done so far only. */
  private int anyOf(int bound) {
    return new Random(trace + bound).nextInt(bound);
  }

  private void note(Operation operation, long offset, long length) {
    for (long value : new long[] {operation.ordinal(), offset, length}) {
      trace = (trace ^ value) * 0x9E3779B97F4A7C15L;
      trace ^= trace >>> 29;
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
    // Several threads may read at once: in the trace, the order would be by chance.
    take(destination, offset);
  }

  @Override
  public synchronized void write(ByteBuffer source, long offset) throws IOException {
    note(Operation.WRITE, offset, source.remaining());
    CRC32C crc = new CRC32C();
    crc.update(source.duplicate());
    note(Operation.WRITE, 0, crc.getValue());
    Fault fault;
    try {
      fault = begin(Operation.WRITE);
    } catch (IOException e) {
      if (power.failsNow()) {
        pending.add(new Pending(offset, source.remaining(), bytesOf(source)));
      }
      throw e;
    }
    if (syncFailed) {
      throw new IOException(name() + ": an earlier sync failed");
    }
    if (offset < 0 || source.remaining() > capacityBytes - offset) {
      throw new IOException(name() + ": write at " + offset + " is beyond the end");
    }
    checkHostSpace(offset, source.remaining());
    byte[] bytes = bytesOf(source);
    usedExtent = Math.max(usedExtent, offset + bytes.length);
    if (fault == Fault.STALE) {
      return;
    }
    if (fault == Fault.BIT_ROT) {
      bytes[anyOf(bytes.length)] ^= (byte) (1 << anyOf(Byte.SIZE));
    }
    change(
        new Pending(
            fault == Fault.MISDIRECTED ? elsewhere(offset, bytes.length) : offset,
            bytes.length,
            bytes));
  }

  private static byte[] bytesOf(ByteBuffer source) {
    byte[] bytes = new byte[source.remaining()];
    source.get(bytes);
    return bytes;
  }

  private void change(Pending made) {
    pending.add(made);
    long end = (made.offset() + made.length() + SECTOR_BYTES - 1) / SECTOR_BYTES;
    if (made.bytes() == null) {
      end = Math.min(end, current.end());
    }
    for (long sector = made.offset() / SECTOR_BYTES; sector < end; sector++) {
      previous.put(sector, current.find(sector));
    }
    apply(current, List.of(made));
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
    beforeSync.run();
    note(Operation.SYNC, 0, 0);
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
    note(Operation.PUNCH, offset, length);
    begin(Operation.PUNCH);
    change(new Pending(offset, length, null));
    bytesPunched += length;
    preallocated.clear((int) (offset / SECTOR_BYTES), (int) ((offset + length) / SECTOR_BYTES));
  }

  @Override
  public synchronized void preallocate(long offset, long length) throws IOException {
    note(Operation.PREALLOCATE, offset, length);
    begin(Operation.PREALLOCATE);
    checkHostSpace(offset, length);
    preallocated.set(
        (int) (offset / SECTOR_BYTES), (int) ((offset + length + SECTOR_BYTES - 1) / SECTOR_BYTES));
    usedExtent = Math.max(usedExtent, offset + length);
  }

  private void checkHostSpace(long offset, long length) throws HostFullException {
    if (hostBytes == Long.MAX_VALUE) {
      return;
    }
    long missing = 0;
    long end = (offset + length + SECTOR_BYTES - 1) / SECTOR_BYTES;
    for (long sector = offset / SECTOR_BYTES; sector < end; sector++) {
      if (!preallocated.get((int) sector) && !current.has(sector)) {
        missing += SECTOR_BYTES;
      }
    }
    if (missing > 0 && missing > hostBytes - hostBytesUsed()) {
      throw new HostFullException(name() + ": no space left on the host file system", null);
    }
  }

  /** Returns a fault that nobody is told of; null when there is none. */
  private Fault begin(Operation operation) throws IOException {
    if (crashed || closed) {
      throw new IOException(name() + (crashed ? ": crashed" : ": closed"));
    }
    if (operation != Operation.READ) {
      power.change();
    }
    if (!hasPower()) {
      throw new IOException(name() + ": Input/output error (the power failed, " + operation + ")");
    }
    Plan plan = plans.get(operation);
    plan.done++;
    if (plan.done < plan.failFrom || plan.done > plan.failUntil) {
      return null;
    }
    if (plan.fault == Fault.HOST_FULL) {
      throw new HostFullException(name() + ": no space left on the host file system", null);
    }
    if (plan.fault == Fault.IO_ERROR) {
      throw new IOException(name() + ": Input/output error (injected, " + operation + ")");
    }
    silentFaults++;
    return plan.fault;
  }

  /** Sectors are replaced, not changed, because images share them. */
  private void apply(SectorImage image, List<Pending> changes) {
    for (Pending change : changes) {
      long length = change.length();
      if (change.bytes() == null) {
        length = Math.min(length, Math.max(0, image.end() * SECTOR_BYTES - change.offset()));
      }
      long done = 0;
      while (done < length) {
        long at = change.offset() + done;
        int from = (int) (at % SECTOR_BYTES);
        int count = (int) Math.min(length - done, SECTOR_BYTES - from);
        image.put(at / SECTOR_BYTES, changed(image, change, at, from, count));
        done += count;
      }
    }
  }

  /** A sector as it is after a change of a part of it, or of all. */
  private static byte[] changed(SectorImage image, Pending change, long at, int from, int count) {
    if (count == SECTOR_BYTES && change.bytes() == null) {
      return null;
    }
    byte[] sector = count == SECTOR_BYTES ? new byte[count] : image.get(at / SECTOR_BYTES).clone();
    if (change.bytes() == null) {
      Arrays.fill(sector, from, from + count, (byte) 0);
    } else {
      System.arraycopy(change.bytes(), (int) (at - change.offset()), sector, from, count);
    }
    return sector;
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
