package io.cowfs.core.pool;

import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.device.FileDevice;
import io.cowfs.core.device.MemberState;
import io.cowfs.core.device.MirrorDevice;
import io.cowfs.core.device.MirrorMember;
import io.cowfs.core.device.PoolLabel;
import io.cowfs.core.scrub.Resilver;
import io.cowfs.core.scrub.Scrub;
import io.cowfs.core.txg.RootRing;
import io.cowfs.core.txg.TransactionGroups;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * The devices of an open pool: their states, and the commands that change them. Thread-safe; the
 * commands are carried out one at a time.
 *
 * <p>Every error is one line fit for a user. What fails has changed nothing, if not said otherwise.
 */
public final class PoolMirror {
  private static final Logger LOG = System.getLogger(PoolMirror.class.getName());

  private final PoolPath path;
  private final PoolLabel label;
  private final Environment environment;
  private final MirrorDevice mirror;
  private final MemberTable table;
  private final TransactionGroups txgs;
  private final Resilver resilver;

  /** One command at a time. */
  private final Object commands = new Object();

  PoolMirror(
      PoolPath path,
      PoolLabel label,
      Environment environment,
      MirrorDevice mirror,
      MemberTable table,
      TransactionGroups txgs,
      Scrub.Sources sources) {
    this.path = path;
    this.label = label;
    this.environment = environment;
    this.mirror = mirror;
    this.table = table;
    this.txgs = txgs;
    this.resilver =
        new Resilver(
            sources,
            txgs,
            new Resilver.Targets() {
              @Override
              public Optional<Resilver.Group> behind() {
                return PoolMirror.this.behind();
              }

              @Override
              public void settled() throws IOException {
                detachReplaced();
              }
            });
  }

  // ---- what there is

  /** By number. */
  public List<DeviceStatus> devices() {
    List<DeviceStatus> devices = new ArrayList<>();
    for (MirrorMember member : mirror.members()) {
      devices.add(
          new DeviceStatus(
              member.name(),
              member.state(),
              member.readErrors(),
              member.writeErrors(),
              member.checksumErrors(),
              note(member)));
    }
    return devices;
  }

  private String note(MirrorMember member) {
    if (member.state() == MemberState.RESILVERING) {
      return "%s%d bytes compared, %d copied"
          .formatted(
              replaced(member).map(other -> "replaces " + other.name() + ", ").orElse(""),
              resilver.checkedBytes(),
              member.resilveredBytes());
    }
    return member.problem();
  }

  private Optional<MirrorMember> replaced(MirrorMember member) {
    OptionalInt number = table.replacedBy(member.number());
    return mirror.members().stream()
        .filter(other -> number.isPresent() && other.number() == number.getAsInt())
        .findFirst();
  }

  /** Whether some device is not what it should be. */
  public boolean isDegraded() {
    return mirror.members().stream().anyMatch(member -> member.state() != MemberState.ONLINE);
  }

  /** What catching up has copied to all of them since they were opened. */
  long resilveredBytes() {
    return mirror.members().stream().mapToLong(MirrorMember::resilveredBytes).sum();
  }

  /** Waits until those that are behind have everything, or it does not go on. */
  public void awaitResilver() {
    resilver.await();
  }

  // ---- catching up

  /** Has those that are behind catch up, in the background, and those go that are replaced. */
  void goOn() {
    if (behind().isPresent() || mirror.members().stream().anyMatch(this::isInPlaceOfAnother)) {
      resilver.start();
    }
  }

  void stop() {
    resilver.stop();
  }

  private Optional<Resilver.Group> behind() {
    List<MirrorMember> behind =
        mirror.members().stream()
            .filter(member -> member.state() == MemberState.RESILVERING)
            .toList();
    if (behind.isEmpty()) {
      return Optional.empty();
    }
    long completeTxg =
        behind.stream().mapToLong(it -> table.completeTxg(it).orElse(0L)).min().orElse(0);
    return Optional.of(
        new Resilver.Group() {
          @Override
          public long completeTxg() {
            return completeTxg;
          }

          @Override
          public void complete(long txg) throws IOException {
            // All records but that of this txg, which they get with everybody else.
            RootRing.Image ring = RootRing.Image.of(mirror, label.uuid(), txg - 1);
            behind.forEach(member -> PoolMirror.this.complete(member, ring));
          }
        });
  }

  /**
   * Everything was copied to a member. What it has becomes durable before its ring says so, and
   * that before the index does, with the commit of the txg in which this is called. What fails here
   * is its own fault.
   */
  private void complete(MirrorMember member, RootRing.Image ring) {
    if (member.state() != MemberState.RESILVERING) {
      return;
    }
    try {
      BlockDevice device = member.device().orElseThrow();
      // What is allocated at the end and not reached by anything was not copied.
      long end = mirror.usedExtent();
      if (device.usedExtent() < end) {
        device.preallocate(end - 1, 1);
      }
      device.sync();
      ring.copyTo(device);
      if (mirror.caughtUp(member)) {
        LOG.log(
            Level.INFO,
            "{0}: resilvered, {1} bytes were copied",
            member.name(),
            Long.toString(member.resilveredBytes()));
      }
    } catch (IOException failure) {
      mirror.takeOut(member, MemberState.FAULTED, failure.getMessage());
      LOG.log(Level.ERROR, "{0}: faulted: {1}", member.name(), failure.getMessage());
    }
  }

  // ---- commands

  /**
   * Finds a member.
   *
   * @param name as {@link #devices} has it, or the device's path without symbolic links
   */
  private MirrorMember find(String name) throws MirrorException {
    for (MirrorMember member : mirror.members()) {
      if (member.name().equals(name) || isSame(path.data(member.number()), name)) {
        return member;
      }
    }
    throw new MirrorException("%s: %s is no device of the pool".formatted(path.directory(), name));
  }

  /** Looks at no path but the pool's own: who has the pool mounted may be asked for anything. */
  private static boolean isSame(Path entry, String named) {
    if (entry.toString().equals(named)) {
      return true;
    }
    try {
      Path real = entry.toRealPath();
      return real.toString().equals(named)
          || real.equals(Path.of(named).resolve(PoolPath.MEMBER_FILE));
    } catch (IOException missing) {
      return false;
    }
  }

  private void requireWritable() throws IOException {
    IOException reason = txgs.suspendedBy();
    if (reason != null) {
      throw new MirrorException(path.directory() + ": " + reason.getMessage());
    }
  }

  private MirrorException lastOne(MirrorMember member, String verb) {
    return new MirrorException(
        "%s: cannot %s %s: no other device has everything"
            .formatted(path.directory(), verb, member.name()));
  }

  /** Has a member not used any more, until {@link #online}, over unmounts. Durable. */
  public void offline(String name) throws IOException {
    synchronized (commands) {
      requireWritable();
      MirrorMember member = find(name);
      if (member.state() == MemberState.OFFLINE) {
        throw new MirrorException(member.name() + ": it is offline already");
      }
      if (!mirror.takeOut(member, MemberState.OFFLINE, "")) {
        throw lastOne(member, "take offline");
      }
      commit();
    }
  }

  /** The states are part of every commit. */
  private void commit() throws IOException {
    txgs.runTask(txg -> null);
  }

  /**
   * Has a member used again that was offline, faulted or missing. What it has missed is copied to
   * it in the background; see {@link #awaitResilver}.
   */
  public void online(String name) throws IOException {
    synchronized (commands) {
      requireWritable();
      MirrorMember member = find(name);
      if (member.state().isWritten()) {
        throw new MirrorException(
            "%s: it is %s already"
                .formatted(
                    member.name(),
                    member.state() == MemberState.ONLINE ? "online" : "being resilvered"));
      }
      BlockDevice device = PoolDevices.reopen(path, label, member, environment);
      try {
        requireRoom(device.capacity(), member.name());
        table.hasOnly(member.number(), RootRing.newestTxg(device, label.uuid()));
      } catch (IOException | RuntimeException failure) {
        device.close();
        throw failure;
      }
      Optional<BlockDevice> before = member.device();
      mirror.catchUp(member, device);
      if (before.isPresent()) {
        before.get().close();
      }
      commit();
      resilver.start();
    }
  }

  private void requireRoom(long capacityBytes, String name) throws MirrorException {
    if (capacityBytes < mirror.capacity()) {
      throw new MirrorException(
          "%s: has %d bytes, and the pool needs %d"
              .formatted(name, capacityBytes, mirror.capacity()));
    }
  }

  /**
   * Gives the pool another device, which gets a copy of everything, in the background; see {@link
   * #awaitResilver}. A pool with one device becomes a mirror.
   */
  public void attach(NewMember newMember) throws IOException {
    attach(newMember, Optional.empty());
  }

  /**
   * Gives the pool another device as with {@link #attach}; when that has everything, an old one is
   * detached. What comes to no end goes on when the pool is opened again.
   */
  public void replace(String oldName, NewMember newMember) throws IOException {
    synchronized (commands) {
      MirrorMember old = find(oldName);
      for (MirrorMember member : mirror.members()) {
        if (replaced(member).filter(it -> it == old).isPresent()) {
          throw new MirrorException(
              "%s: is being replaced already, by %s".formatted(old.name(), member.name()));
        }
      }
      attach(newMember, Optional.of(old));
    }
  }

  private boolean isInPlaceOfAnother(MirrorMember member) {
    return member.state() == MemberState.ONLINE && replaced(member).isPresent();
  }

  private void detachReplaced() throws IOException {
    synchronized (commands) {
      for (MirrorMember member : mirror.members()) {
        if (isInPlaceOfAnother(member)) {
          detach(replaced(member).orElseThrow());
        }
      }
    }
  }

  private void attach(NewMember newMember, Optional<MirrorMember> old) throws IOException {
    synchronized (commands) {
      requireWritable();
      newMember.requireFit(mirror.capacity());
      int number = freeNumber();
      Supplier<UUID> uuids = environment.execution().uuids();
      UUID uuid = uuids.get();
      NewMember.Undo undo = newMember.make(path, number, labelOf(uuid), environment);
      MirrorMember member =
          MirrorMember.absent(
              number, uuid, PoolDevices.nameOf(path.data(number)), MemberState.UNAVAIL, "");
      // Where this fails the new device stays: a label that was written in part is understood only
      // beside another one.
      identify(uuids);
      try {
        BlockDevice device = PoolDevices.reopen(path, label, member, environment);
        table.hasOnly(number, 0);
        old.ifPresent(other -> table.replace(other.number(), number));
        mirror.catchUp(member, device);
      } catch (IOException | RuntimeException failure) {
        undo.run();
        throw failure;
      }
      commit();
      resilver.start();
    }
  }

  /** A mirror can hold as much as its smallest device when it was made, whichever is away. */
  private PoolLabel labelOf(UUID member) {
    long capacity = mirror.capacity();
    boolean isLimited = label.capacityBytes() != 0 || capacity == FileDevice.UNLIMITED_BYTES;
    return (isLimited ? label : label.withCapacity(capacity)).ofMember(member);
  }

  private int freeNumber() throws MirrorException {
    for (int number = 0; number < PoolPath.DEVICES_MAX; number++) {
      int candidate = number;
      boolean isTaken =
          Files.exists(path.data(number), LinkOption.NOFOLLOW_LINKS)
              || mirror.members().stream().anyMatch(member -> member.number() == candidate);
      if (!isTaken) {
        return number;
      }
    }
    throw new MirrorException(
        "%s: a pool cannot have more than %d devices"
            .formatted(path.directory(), PoolPath.DEVICES_MAX));
  }

  /**
   * The only device of a pool without a mirror gets an identity, one copy of its label at a time.
   */
  private void identify(Supplier<UUID> uuids) throws IOException {
    for (MirrorMember member : mirror.members()) {
      if (member.uuid().equals(PoolLabel.NO_MEMBER)) {
        UUID uuid = uuids.get();
        labelOf(uuid).writeOneByOne(member.device().orElseThrow());
        member.identify(uuid);
      }
    }
  }

  /**
   * Makes the pool forget a device. What it has stays there, but it is the pool's no more.
   *
   * <p>Where it cannot be told so, that is no error: its ring tells that it is behind.
   */
  public void detach(String name) throws IOException {
    synchronized (commands) {
      requireWritable();
      detach(find(name));
    }
  }

  private void detach(MirrorMember member) throws IOException {
    if (!mirror.takeOut(member, MemberState.OFFLINE, "")) {
      throw lastOne(member, "detach");
    }
    mirror.remove(member);
    table.forget(member.number());
    commit();
    Optional<BlockDevice> device = member.device();
    try {
      if (device.isPresent()) {
        FrontOfDevice.clear(device.get());
        device.get().sync();
        device.get().close();
      }
    } catch (IOException failure) {
      LOG.log(Level.WARNING, "{0}: keeps its label: {1}", member.name(), failure.getMessage());
    }
    Files.deleteIfExists(path.data(member.number()));
    path.sync();
  }

  /**
   * What a scrub reads of the devices one by one, between two commits. What is damaged is written
   * anew, and read again.
   *
   * @param txg the last one that was committed
   */
  List<String> checkFronts(long txg) {
    List<String> findings = new ArrayList<>();
    for (MirrorMember member : mirror.members()) {
      if (!member.state().isWritten() || member.uuid().equals(PoolLabel.NO_MEMBER)) {
        continue;
      }
      BlockDevice device = member.device().orElseThrow();
      check("scrub/label", member, () -> checkLabel(member, device), findings);
      if (member.state() == MemberState.ONLINE) {
        check("scrub/ring", member, () -> checkRing(member, device, txg), findings);
      }
    }
    return findings;
  }

  private interface Check {
    void run() throws IOException;
  }

  private static void check(String id, MirrorMember member, Check check, List<String> findings) {
    try {
      check.run();
    } catch (IOException damage) {
      findings.add(id + ": " + member.name() + ": " + damage.getMessage());
    }
  }

  private void checkLabel(MirrorMember member, BlockDevice device) throws IOException {
    PoolLabel should = labelOf(member.uuid());
    if (PoolDevices.mendLabel(device, should) && !PoolLabel.read(device).equals(should)) {
      throw new DamagedPoolException(device.name() + ": the label is not what was written");
    }
  }

  /** The ring of each device that has everything must be whole, and no older than any other. */
  private void checkRing(MirrorMember member, BlockDevice device, long txg) throws IOException {
    try {
      RootRing.Image.of(device, label.uuid(), txg);
    } catch (DamagedPoolException damaged) {
      LOG.log(Level.WARNING, "{0}: mended: {1}", member.name(), damaged.getMessage());
      RootRing.Image.of(mirror, label.uuid(), txg).copyTo(device);
      RootRing.Image.of(device, label.uuid(), txg);
    }
  }
}
