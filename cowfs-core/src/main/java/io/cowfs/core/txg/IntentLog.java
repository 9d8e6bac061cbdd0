package io.cowfs.core.txg;

import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.device.DeviceCopy;
import io.cowfs.core.device.DeviceCopy.Source;
import io.cowfs.core.device.DeviceLayout;
import io.cowfs.core.device.HostFullException;
import io.cowfs.core.memory.DirectBuffers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BooleanSupplier;

/**
 * The intent log: what was done since the last commit and is to survive a crash, in a ring of
 * sectors at the front of the device. Records lie one behind the other; a round ends where a record
 * does not fit before the end, or earlier, where the front is free and what follows was never
 * written yet. The next record begins at the first sector. Numbers go up by one, so what is left of
 * an earlier round is never taken for what follows.
 *
 * <p>A commit makes what was logged of its txg worthless. Where the log begins that goes beyond it
 * is committed with it, see {@link #positionAfter}; from there on, nothing is overwritten before
 * the next commit.
 *
 * <p>Thread-safe; {@code this} guards the positions, and is not held over I/O. One thread appends
 * at a time.
 */
public final class IntentLog {
  private static final int SECTOR_BYTES = DeviceLayout.SECTOR_BYTES;

  /** A record is at most so large. In bytes. */
  private static final int RECORD_BYTES_MAX = 4 << 20;

  /** Space is asked of the host, and made to be overwritten, in steps of so much. */
  private static final int STEP_BYTES = 1 << 20;

  /** What may follow the end is read in pieces of so much: each page that is touched costs time. */
  private static final int SEARCH_BYTES = 256 << 10;

  /**
   * With so much free at the front, no more of the log is taken into use: to prepare it costs as
   * much as the records that it gets, and the front has room for more than is logged until a commit
   * makes some, see {@link DirtyLimit}.
   */
  private static final int FRONT_SECTORS_MIN = (16 << 20) / SECTOR_BYTES;

  private static final int BUFFER_BYTES_MIN = 64 << 10;

  /**
   * What one epoch logged.
   *
   * @param changes little-endian, from 0 to the limit
   */
  public record Section(long txg, ByteBuffer changes) {}

  /** A record whose txgs are not all durable. */
  private record Written(LogPosition position, long newestTxg) {}

  private final BlockDevice device;
  private final BooleanSupplier isMissedUnknown;
  private final UUID pool;
  private final int sectors;

  /** From here on nothing may be overwritten. */
  private LogPosition start;

  /** Where the next record goes; before the start when it is one round ahead. */
  private LogPosition head;

  private long sectorsAppended;

  /** Where the last round ended that has one after it. */
  private int roundEnd;

  private final Deque<Written> written = new ArrayDeque<>();

  /**
   * Up to here, whole blocks of the host were written since the pool was opened: to write there
   * again changes nothing but data. Of the thread that appends.
   */
  private int prepared;

  /**
   * Where the next record goes there may be one of the same number that does not count: what was
   * logged after a commit that is lost, or was not logged everywhere. Of the thread that appends.
   */
  private boolean isLeftoverPossible = true;

  /** Of the thread that appends; null until it is needed, and never written to. */
  private ByteBuffer zeros;

  /** Of the thread that appends. */
  private ByteBuffer buffer = newBuffer(BUFFER_BYTES_MIN);

  /**
   * @param sectors of the log; 0 where the pool has none, and nothing may be appended
   * @param start as of the last commit
   */
  public IntentLog(BlockDevice device, UUID pool, int sectors, LogPosition start) {
    this(device, pool, sectors, start, () -> false);
  }

  /**
   * The log on a mirror.
   *
   * @param isMissedUnknown whether some member may miss what is written, and no commit tells of
   *     that yet: alone it would be opened as one that has everything. Asked by the thread that
   *     appends
   */
  public IntentLog(
      BlockDevice device,
      UUID pool,
      int sectors,
      LogPosition start,
      BooleanSupplier isMissedUnknown) {
    this.device = device;
    this.isMissedUnknown = isMissedUnknown;
    this.pool = pool;
    this.sectors = sectors;
    this.start = start;
    this.head = start;
  }

  /** Full of zeros. */
  private static ByteBuffer newBuffer(int bytes) {
    return DirectBuffers.aligned(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Whether the pool has a log at all. */
  boolean exists() {
    return sectors > 0;
  }

  /**
   * Reads what goes beyond the last commit, before anything is appended. What a crash cut short
   * ends it: only the last record can be that.
   *
   * @param durableTxg the txg of the last commit
   * @return the sections of later txgs, in the order in which they were logged
   * @throws DamagedPoolException when a record is damaged that others follow
   */
  public List<Section> recover(long durableTxg) throws IOException {
    List<Section> beyond = new ArrayList<>();
    boolean continues = sectors > 0 && start.sector() <= sectors;
    while (continues) {
      Optional<Found> found = find(head);
      if (found.isEmpty()) {
        requireEnd();
      }
      // What continues a commit that is lost is lost with it.
      continues = found.isPresent() && found.get().record().baseTxg() <= durableTxg;
      if (continues) {
        LogRecordFormat.Decoded record = found.get().record();
        record.sections().stream()
            .filter(section -> section.txg() > durableTxg)
            .forEach(beyond::add);
        headIs(found.get().at().sector() + record.sectors(), head.sequence() + 1);
      }
    }
    return beyond;
  }

  private record Found(LogPosition at, LogRecordFormat.Decoded record) {}

  private synchronized void headIs(int sector, long sequence) {
    if (sector < head.sector()) {
      roundEnd = head.sector();
    }
    head = new LogPosition(sector, sequence);
  }

  /** The record with the number of a position: there, or where the log goes on after its end. */
  private Optional<Found> find(LogPosition at) throws IOException {
    LogPosition first = new LogPosition(0, at.sequence());
    for (LogPosition place : at.sector() == 0 ? List.of(at) : List.of(at, first)) {
      Optional<LogRecordFormat.Decoded> record = read(place);
      if (record.isPresent()) {
        return Optional.of(new Found(place, record.get()));
      }
    }
    return Optional.empty();
  }

  /**
   * What is not whole may be so in another copy, or past what the host keeps in memory. A copy that
   * cannot be read does not matter where another one can: each has all records.
   */
  private Optional<LogRecordFormat.Decoded> read(LogPosition at) throws IOException {
    IOException unreadable = null;
    boolean isKnown = false;
    for (Source source : Source.values()) {
      for (DeviceCopy copy : device.copies(offset(at))) {
        try {
          Optional<LogRecordFormat.Decoded> record = read(at, copy, source);
          if (record.isPresent()) {
            return record;
          }
          isKnown |= source == Source.MEDIUM;
        } catch (IOException failure) {
          unreadable = source == Source.MEDIUM ? failure : unreadable;
        }
      }
    }
    if (unreadable != null && !isKnown) {
      throw unreadable; // It might be there.
    }
    return Optional.empty();
  }

  private Optional<LogRecordFormat.Decoded> read(LogPosition at, DeviceCopy copy, Source source)
      throws IOException {
    int left = sectors - at.sector();
    if (left < 1) {
      return Optional.empty();
    }
    ByteBuffer first = newBuffer(SECTOR_BYTES);
    copy.read(first.duplicate(), offset(at), source);
    int bytesMax = (int) Math.min(RECORD_BYTES_MAX, (long) left * SECTOR_BYTES);
    Optional<Integer> bytes = LogRecordFormat.size(first, pool, at.sequence(), bytesMax);
    if (bytes.isEmpty()) {
      return Optional.empty();
    }
    ByteBuffer record = newBuffer(LogRecordFormat.sectorsFor(bytes.get()) * SECTOR_BYTES);
    copy.read(record.duplicate(), offset(at), source);
    return LogRecordFormat.decode(record.limit(bytes.get()));
  }

  /**
   * The log seems to end at its head. A record is written when the one before is durable: if there
   * is a later one, then that was damaged since.
   */
  private void requireEnd() throws IOException {
    ByteBuffer window = newBuffer(SEARCH_BYTES);
    for (int begin : head.sector() == 0 ? List.of(0) : List.of(head.sector(), 0)) {
      int end = Math.min(begin + RECORD_BYTES_MAX / SECTOR_BYTES + 1, sectors);
      for (int at = begin; at < end; at += SEARCH_BYTES / SECTOR_BYTES) {
        window.clear().limit(Math.min(SEARCH_BYTES, (end - at) * SECTOR_BYTES));
        requireNoLater(at, window);
      }
    }
  }

  /**
   * @param window to be filled with the sectors
   */
  private void requireNoLater(int begin, ByteBuffer window) throws IOException {
    long offset = offset(new LogPosition(begin, 0));
    IOException unreadable = null;
    int readable = 0;
    for (DeviceCopy copy : device.copies(offset)) {
      try {
        copy.read(window.duplicate(), offset, Source.CACHE);
        readable++;
      } catch (IOException failure) {
        unreadable = failure;
        continue;
      }
      for (int at = 0; at < window.limit(); at += SECTOR_BYTES) {
        requireNoLater(window.slice(at, SECTOR_BYTES), begin + at / SECTOR_BYTES);
      }
    }
    if (readable == 0) {
      throw unreadable;
    }
  }

  private void requireNoLater(ByteBuffer sector, int at) throws IOException {
    LogPosition next = new LogPosition(at, head.sequence() + 1);
    int bytesMax = (int) Math.min(RECORD_BYTES_MAX, (long) (sectors - at) * SECTOR_BYTES);
    ByteBuffer first = sector.order(ByteOrder.LITTLE_ENDIAN);
    if (LogRecordFormat.size(first, pool, next.sequence(), bytesMax).isPresent()
        && read(next).isPresent()) {
      throw new DamagedPoolException(
          ("%s: record %d of the intent log is damaged, and what was synced after the last commit"
                  + " with it: 'cowfs rewind' goes back to an older commit")
              .formatted(device.name(), head.sequence()));
    }
  }

  private static long offset(LogPosition at) {
    return (DeviceLayout.LOG_FIRST_SECTOR + (long) at.sector()) * SECTOR_BYTES;
  }

  /**
   * Writes what epochs did, durably, as one record.
   *
   * @param epochs in their order, with no members any more
   * @param baseTxg a durable txg, of which and of the log these are the continuation
   * @return false when there is no room for it in the log, or on the host: a commit makes some; or
   *     when a member of a mirror does not have it, which a commit is to tell
   */
  boolean append(List<Txg> epochs, long baseTxg) throws IOException {
    long bytes = LogRecordFormat.HEADER_BYTES;
    for (Txg epoch : epochs) {
      bytes += LogRecordFormat.SECTION_HEADER_BYTES + epoch.changeBytes();
    }
    if (bytes > RECORD_BYTES_MAX) {
      return false;
    }
    int needed = LogRecordFormat.sectorsFor(bytes);
    long newestTxg = epochs.get(epochs.size() - 1).number();
    int expected = headSector();
    LogPosition at = place(needed, newestTxg);
    if (at == null) {
      return false;
    }
    encode(epochs, (int) bytes, at, baseTxg);
    try {
      if (isLeftoverPossible && at.sector() != expected && expected < sectors) {
        // It would be found first.
        device.writeDurably(newBuffer(SECTOR_BYTES), offset(new LogPosition(expected, 0)));
      }
      prepare(at.sector(), needed);
      device.writeDurably(buffer, offset(at));
      isLeftoverPossible = false;
      return !isMissedUnknown.getAsBoolean();
    } catch (HostFullException full) {
      isLeftoverPossible = true;
      takeBack(at);
      return false;
    }
  }

  /** Where a record is looked for first that comes next. */
  private synchronized int headSector() {
    return head.sector();
  }

  /** Sets sectors aside; null where there are not so many. */
  private synchronized LogPosition place(int needed, long newestTxg) {
    boolean fits = needed <= (isRoundAhead() ? start.sector() - 1 : sectors) - head.sector();
    boolean isFrontFree = !isRoundAhead() && needed < start.sector();
    boolean isFrontBetter =
        start.sector() >= FRONT_SECTORS_MIN && head.sector() + needed > prepared;
    if (!fits && !isFrontFree) {
      return null;
    }
    LogPosition at = head;
    if (isFrontFree && (!fits || isFrontBetter)) {
      roundEnd = head.sector();
      at = new LogPosition(0, head.sequence());
    }
    head = new LogPosition(at.sector() + needed, at.sequence() + 1);
    written.add(new Written(at, newestTxg));
    sectorsAppended += needed;
    return at;
  }

  private boolean isRoundAhead() {
    return head.sector() < start.sector();
  }

  private int used() {
    return head.sector() - start.sector() + (isRoundAhead() ? roundEnd : 0);
  }

  private synchronized void takeBack(LogPosition at) {
    written.removeLast();
    head = at;
  }

  private void encode(List<Txg> epochs, int bytes, LogPosition at, long baseTxg) {
    int padded = LogRecordFormat.sectorsFor(bytes) * SECTOR_BYTES;
    if (buffer.capacity() < padded) {
      buffer = newBuffer(padded);
    }
    buffer.clear().position(LogRecordFormat.HEADER_BYTES);
    for (Txg epoch : epochs) {
      buffer.putLong(epoch.number()).putInt(epoch.changeBytes());
      epoch.changes().forEach(change -> change.encode(buffer));
    }
    buffer.limit(bytes);
    LogRecordFormat.seal(buffer, pool, at.sequence(), baseTxg);
    buffer.limit(padded).position(bytes);
    while (buffer.hasRemaining()) {
      buffer.put((byte) 0);
    }
    buffer.flip();
  }

  /**
   * The first time that the log comes along, the host gives space for a step ahead, and that is
   * written once: to write into space that was only set aside costs a host more than to overwrite.
   */
  private void prepare(int sector, int needed) throws IOException {
    while (prepared < sector + needed) {
      int end = Math.min(prepared + STEP_BYTES / SECTOR_BYTES, sectors);
      int from = Math.max(prepared, sector);
      if (from < end) {
        long offset = offset(new LogPosition(from, 0));
        int bytes = (end - from) * SECTOR_BYTES;
        device.preallocate(offset, bytes);
        if (!startsWithin(from, end)) {
          if (zeros == null) {
            zeros = newBuffer(STEP_BYTES);
          }
          device.write(zeros.slice(0, bytes), offset);
        }
      }
      prepared = end;
    }
  }

  /** True when the log begins there, and does not only now begin there. */
  private synchronized boolean startsWithin(int from, int end) {
    return start.sector() > from && start.sector() < end;
  }

  /** How much of it is in use; percent. */
  synchronized int percentUsed() {
    return (int) (100L * used() / sectors);
  }

  /** How much was appended since the pool was opened. */
  synchronized long bytesAppended() {
    return sectorsAppended * SECTOR_BYTES;
  }

  /** Where the log begins that goes beyond a txg which is about to be committed. */
  public synchronized LogPosition positionAfter(long txg) {
    while (!written.isEmpty() && written.peekFirst().newestTxg() <= txg) {
      written.removeFirst();
    }
    return written.isEmpty() ? head : written.peekFirst().position();
  }

  /** A commit with this position is durable: what lies before may be overwritten. */
  public synchronized void committed(LogPosition position) {
    start = position;
  }
}
