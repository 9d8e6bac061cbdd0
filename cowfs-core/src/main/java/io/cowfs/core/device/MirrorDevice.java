package io.cowfs.core.device;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;

/**
 * Several devices that hold the same. Everything is written to each of them that is in use; a read
 * takes one. Thread-safe.
 *
 * <p>A member on which a write or a sync fails is not used any more: what it has is behind from
 * then on, and a sync is never tried twice. The last complete member stays, whatever fails on it;
 * its errors are those of the mirror.
 *
 * <p>A member that {@linkplain MemberState#RESILVERING catches up} gets all that is written, but
 * for the root records: the newest one in its ring stays the one up to which it has everything,
 * until that is so for the newest of all. Reads do not use it.
 */
public final class MirrorDevice implements BlockDevice {
  private static final Logger LOG = System.getLogger(MirrorDevice.class.getName());

  /** Of members that are equally busy, each is read in areas of its own. */
  private static final int READ_AREA_BITS = 20;

  private static final long RING_BEGIN =
      (long) DeviceLayout.RING_FIRST_SECTOR * DeviceLayout.SECTOR_BYTES;
  private static final long RING_END =
      (long) DeviceLayout.LOG_FIRST_SECTOR * DeviceLayout.SECTOR_BYTES;

  private final String name;
  private final Executor syncers;

  /** By number. Replaced as a whole, under the lock of this. */
  private volatile List<MirrorMember> members;

  /**
   * @param name for messages
   * @param members one of them at least is ONLINE; closed with this
   * @param syncers run what waits for the members beside each other
   */
  public MirrorDevice(String name, List<MirrorMember> members, Executor syncers) {
    this.name = name;
    this.members = sorted(members);
    this.syncers = syncers;
    if (members.stream().noneMatch(member -> member.state() == MemberState.ONLINE)) {
      throw new IllegalArgumentException("a mirror without a member that is online");
    }
  }

  private static List<MirrorMember> sorted(List<MirrorMember> members) {
    return members.stream().sorted(Comparator.comparingInt(MirrorMember::number)).toList();
  }

  /** All members, those that are not in use included, by number. */
  public List<MirrorMember> members() {
    return members;
  }

  // ---- reads

  @Override
  public void read(ByteBuffer destination, long offset) throws IOException {
    read(destination, offset, DeviceCopy.Source.CACHE);
  }

  @Override
  public void readMedium(ByteBuffer destination, long offset) throws IOException {
    read(destination, offset, DeviceCopy.Source.MEDIUM);
  }

  private void read(ByteBuffer destination, long offset, DeviceCopy.Source source)
      throws IOException {
    IOException first = null;
    for (DeviceCopy copy : copies(offset)) {
      if (copy.trust() != DeviceCopy.Trust.COMPLETE) {
        continue;
      }
      ByteBuffer attempt = destination.duplicate();
      try {
        copy.read(attempt, offset, source);
        destination.position(destination.limit());
        return;
      } catch (IOException failure) {
        if (first == null) {
          first = failure;
        } else {
          first.addSuppressed(failure);
        }
      }
    }
    throw first;
  }

  @Override
  public List<DeviceCopy> copies(long offset) {
    List<MirrorMember> now = members;
    if (now.size() == 1) {
      return List.of(new MemberCopy(now.get(0), DeviceCopy.Trust.COMPLETE));
    }
    List<MirrorMember> complete = new ArrayList<>(now.size());
    List<MirrorMember> partial = new ArrayList<>(0);
    int start = (int) Math.floorMod(offset >> READ_AREA_BITS, (long) now.size());
    for (int i = 0; i < now.size(); i++) {
      MirrorMember member = now.get((start + i) % now.size());
      if (member.state() == MemberState.ONLINE) {
        complete.add(member);
      } else if (member.state() == MemberState.RESILVERING) {
        partial.add(member);
      }
    }
    int[] busy = complete.stream().mapToInt(member -> member.activeReads().get()).toArray();
    int idlest = 0;
    for (int i = 1; i < busy.length; i++) {
      idlest = busy[i] < busy[idlest] ? i : idlest;
    }
    List<DeviceCopy> copies = new ArrayList<>(now.size());
    for (int i = 0; i < complete.size(); i++) {
      MirrorMember member = complete.get((idlest + i) % complete.size());
      copies.add(new MemberCopy(member, DeviceCopy.Trust.COMPLETE));
    }
    partial.forEach(member -> copies.add(new MemberCopy(member, DeviceCopy.Trust.PARTIAL)));
    return copies;
  }

  private final class MemberCopy implements DeviceCopy {
    private final MirrorMember member;
    private final Trust trust;

    MemberCopy(MirrorMember member, Trust trust) {
      this.member = member;
      this.trust = trust;
    }

    @Override
    public String name() {
      return member.name();
    }

    @Override
    public Trust trust() {
      return trust;
    }

    @Override
    public void read(ByteBuffer destination, long offset, Source source) throws IOException {
      member.activeReads().incrementAndGet();
      try {
        if (source == Source.MEDIUM) {
          member.opened().readMedium(destination, offset);
        } else {
          member.opened().read(destination, offset);
        }
      } catch (IOException failure) {
        member.countReadError();
        throw failure;
      } finally {
        member.activeReads().decrementAndGet();
      }
    }

    @Override
    public void mismatched() {
      if (trust == Trust.COMPLETE) {
        member.countChecksumError();
      }
    }

    @Override
    public void repair(ByteBuffer content, long offset) throws IOException {
      if (!member.state().isWritten()) {
        throw new IOException(member.name() + ": not in use");
      }
      int bytes = content.remaining();
      Attempt attempt = tryOn(member, device -> device.write(content, offset));
      if (attempt.failure != null) {
        throw failed(member, attempt);
      }
      if (trust == Trust.PARTIAL) {
        member.countResilvered(bytes);
      }
    }
  }

  // ---- writes

  private interface Change {
    void make(BlockDevice device) throws IOException;
  }

  @Override
  public void write(ByteBuffer source, long offset) throws IOException {
    checkRange(offset, source.remaining());
    change(offset, device -> device.write(source.duplicate(), offset));
    source.position(source.limit());
  }

  @Override
  public void write(ByteBuffer[] sources, long offset) throws IOException {
    long bytes = 0;
    for (ByteBuffer source : sources) {
      bytes += source.remaining();
    }
    checkRange(offset, bytes);
    change(
        offset,
        device -> {
          ByteBuffer[] views = new ByteBuffer[sources.length];
          for (int i = 0; i < views.length; i++) {
            views[i] = sources[i].duplicate();
          }
          device.write(views, offset);
        });
    for (ByteBuffer source : sources) {
      source.position(source.limit());
    }
  }

  /** A mistake of the caller is no fault of a member. */
  private void checkRange(long offset, long length) throws IOException {
    if (offset < 0 || length > capacity() - offset) {
      throw new IOException(name + ": write at " + offset + " is beyond the size of the device");
    }
  }

  private void change(long offset, Change change) throws IOException {
    boolean isRing = offset >= RING_BEGIN && offset < RING_END;
    boolean done = false;
    IOException last = null;
    for (MirrorMember member : members) {
      MemberState state = member.state();
      if (!state.isWritten() || (isRing && state == MemberState.RESILVERING)) {
        continue;
      }
      Attempt attempt = tryOn(member, change);
      if (attempt.failure == null) {
        done |= state == MemberState.ONLINE;
      } else {
        last = failed(member, attempt);
      }
    }
    requireDone(done, null, last);
  }

  @Override
  public void sync() throws IOException {
    together(BlockDevice::sync, false);
  }

  /**
   * A host that is full is no fault of its device: its sectors stay as undefined as the others'.
   */
  @Override
  public void writeDurably(ByteBuffer source, long offset) throws IOException {
    checkRange(offset, source.remaining());
    together(device -> device.writeDurably(source.duplicate(), offset), true);
    source.position(source.limit());
  }

  /** The same for all that are written, beside each other. */
  private void together(Change change, boolean mayBeFull) throws IOException {
    List<MirrorMember> written =
        members.stream().filter(member -> member.state().isWritten()).toList();
    List<CompletableFuture<Attempt>> others = new ArrayList<>();
    for (MirrorMember member : written.subList(1, written.size())) {
      others.add(CompletableFuture.supplyAsync(() -> tryOn(member, change), syncers));
    }
    List<Attempt> attempts = new ArrayList<>();
    attempts.add(tryOn(written.get(0), change));
    for (int i = 0; i < others.size(); i++) {
      attempts.add(resultOf(others.get(i), written.get(i + 1)));
    }
    boolean done = false;
    IOException full = null;
    IOException last = null;
    for (int i = 0; i < written.size(); i++) {
      MirrorMember member = written.get(i);
      Attempt attempt = attempts.get(i);
      if (attempt.failure == null) {
        done |= member.state() == MemberState.ONLINE;
      } else if (mayBeFull && attempt.failure instanceof HostFullException) {
        full = attempt.failure;
      } else {
        last = failed(member, attempt);
      }
    }
    requireDone(done, full, last);
  }

  private void requireDone(boolean done, IOException full, IOException last) throws IOException {
    if (full != null) {
      throw full;
    }
    if (!done) {
      throw last != null ? last : new IOException(name + ": no member is online");
    }
  }

  /**
   * What became of a change on the device that a member had then.
   *
   * @param device null when it had none
   * @param failure null when it was made
   */
  private record Attempt(BlockDevice device, IOException failure) {}

  private static Attempt tryOn(MirrorMember member, Change change) {
    BlockDevice device = null;
    try {
      device = member.opened();
      change.make(device);
      return new Attempt(device, null);
    } catch (IOException failure) {
      return new Attempt(device, failure);
    }
  }

  /** As {@link CompletableFuture#join}, which no interrupt ends. */
  private static Attempt resultOf(CompletableFuture<Attempt> other, MirrorMember member) {
    try {
      return other.join();
    } catch (CompletionException e) {
      IOException failure = new IOException("it failed: " + e.getCause(), e.getCause());
      return new Attempt(member.device().orElse(null), failure);
    }
  }

  /**
   * A member did not do what it was told. It is given up, unless it is the last one that has
   * everything.
   */
  private IOException failed(MirrorMember member, Attempt attempt) {
    IOException failure = attempt.failure;
    synchronized (this) {
      if (member.device().orElse(null) != attempt.device) {
        return failure; // A slow one, which the member has no more.
      }
      member.countWriteError();
      boolean others =
          members.stream().anyMatch(it -> it != member && it.state() == MemberState.ONLINE);
      if (member.state().isWritten() && others) {
        member.become(MemberState.FAULTED, failure.getMessage());
        LOG.log(
            Level.ERROR,
            "{0}: the device is faulted and not used any more, the pool is degraded: {1}",
            member.name(),
            failure.getMessage());
      }
    }
    return failure;
  }

  @Override
  public void punch(long offset, long length) throws IOException {
    for (MirrorMember member : members) {
      if (member.state().isWritten()) {
        member.opened().punch(offset, length);
      }
    }
  }

  /** A host that is full is no fault of its device: the smallest counts. */
  @Override
  public void preallocate(long offset, long length) throws IOException {
    IOException full = null;
    boolean done = false;
    IOException last = null;
    for (MirrorMember member : members) {
      MemberState state = member.state();
      if (!state.isWritten()) {
        continue;
      }
      Attempt attempt = tryOn(member, device -> device.preallocate(offset, length));
      if (attempt.failure == null) {
        done |= state == MemberState.ONLINE;
      } else if (attempt.failure instanceof HostFullException) {
        full = attempt.failure;
      } else {
        last = failed(member, attempt);
      }
    }
    requireDone(done, full, last);
  }

  // ---- members

  /**
   * Takes a member out of use. Its device is not closed before the mirror is.
   *
   * @param state neither ONLINE nor RESILVERING
   * @return false when it is the last one that has everything, and stays
   */
  public synchronized boolean takeOut(MirrorMember member, MemberState state, String problem) {
    boolean others =
        members.stream().anyMatch(it -> it != member && it.state() == MemberState.ONLINE);
    if (others) {
      member.become(state, problem);
    }
    return others;
  }

  /**
   * Has a member that was out of use, or is new, written again.
   *
   * @param device of it, opened anew
   */
  public synchronized void catchUp(MirrorMember member, BlockDevice device) {
    member.reopened(device);
    member.become(MemberState.RESILVERING, "");
    if (!members.contains(member)) {
      List<MirrorMember> more = new ArrayList<>(members);
      more.add(member);
      members = sorted(more);
    }
  }

  /**
   * A member that was catching up has everything.
   *
   * @return false when it failed meanwhile
   */
  public synchronized boolean caughtUp(MirrorMember member) {
    if (member.state() != MemberState.RESILVERING) {
      return false;
    }
    member.become(MemberState.ONLINE, "");
    return true;
  }

  /** Forgets a member that is out of use; its device is the caller's. */
  public synchronized void remove(MirrorMember member) {
    if (member.state().isWritten()) {
      throw new IllegalStateException(member.name() + " is in use");
    }
    members = members.stream().filter(it -> it != member).toList();
  }

  // ---- what the smallest says

  private interface Amount {
    long of(BlockDevice device) throws IOException;
  }

  private long least(Amount amount) throws IOException {
    long least = Long.MAX_VALUE;
    for (MirrorMember member : members) {
      BlockDevice device = member.device().orElse(null);
      if (device != null && member.state().isWritten()) {
        least = Math.min(least, amount.of(device));
      }
    }
    return least;
  }

  @Override
  public long capacity() {
    try {
      return least(BlockDevice::capacity);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Of the members that have everything, for one that catches up may be shorter. */
  @Override
  public long usedExtent() throws IOException {
    long most = 0;
    IOException failed = null;
    for (MirrorMember member : members) {
      if (member.state() == MemberState.ONLINE) {
        try {
          most = Math.max(most, member.opened().usedExtent());
        } catch (IOException e) {
          failed = e;
        }
      }
    }
    if (most == 0 && failed != null) {
      throw failed;
    }
    return most;
  }

  @Override
  public long hostFreeBytes() {
    try {
      return least(BlockDevice::hostFreeBytes);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public void close() throws IOException {
    IOException failed = null;
    for (MirrorMember member : members) {
      BlockDevice device = member.device().orElse(null);
      if (device != null) {
        try {
          device.close();
        } catch (IOException e) {
          failed = e;
        }
      }
    }
    if (failed != null) {
      throw failed;
    }
  }
}
