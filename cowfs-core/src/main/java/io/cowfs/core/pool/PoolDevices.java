package io.cowfs.core.pool;

import io.cowfs.core.dataset.MemberRecord;
import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DamagedIndexException;
import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.device.FileDevice;
import io.cowfs.core.device.MemberState;
import io.cowfs.core.device.MirrorDevice;
import io.cowfs.core.device.MirrorMember;
import io.cowfs.core.device.PoolLabel;
import io.cowfs.core.device.UnsupportedFormatException;
import io.cowfs.core.txg.RootRing;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;

/**
 * Finds the devices of a pool, and makes one device of them. Which members of a mirror have
 * everything follows from the table in the index and from their rings: each has a root record of
 * every commit that it has all of, and none of a later one. Confined to one thread.
 */
final class PoolDevices {
  private static final Logger LOG = System.getLogger(PoolDevices.class.getName());

  private final PoolPath path;
  private final Environment environment;
  private final List<Found> found = new ArrayList<>();
  private final PoolLabel label;

  /** What may be done about members that are not as they should be. */
  enum Purpose {
    /** Those that are behind catch up, and labels and rings are mended. */
    USE,
    /** Only those are used that have everything, and nothing is written. */
    READ
  }

  /**
   * An entry of the pool directory.
   *
   * @param label null when it cannot be read
   * @param problem why not
   */
  private record Found(int number, Path file, PoolLabel label, String problem) {}

  /**
   * The devices as one.
   *
   * @param completeTxgs of members that are behind, by number
   */
  record Opened(MirrorDevice device, Map<Integer, Long> completeTxgs) {}

  private PoolDevices(PoolPath path, Environment environment) throws IOException {
    this.path = path;
    this.environment = environment;
    Map<Integer, Path> entries = path.devices();
    if (entries.size() == 1) {
      int number = entries.keySet().iterator().next();
      label = readLabel(entries.get(number), PoolLabel::read);
      found.add(new Found(number, entries.get(number), label, ""));
      return;
    }
    IOException first = null;
    for (Map.Entry<Integer, Path> entry : entries.entrySet()) {
      try {
        PoolLabel each = readLabel(entry.getValue(), PoolLabel::readEither);
        found.add(new Found(entry.getKey(), entry.getValue(), each, ""));
      } catch (IOException failure) {
        first = first == null || failure instanceof UnsupportedFormatException ? failure : first;
        found.add(new Found(entry.getKey(), entry.getValue(), null, problemOf(failure)));
      }
    }
    label = found.stream().map(Found::label).filter(each -> each != null).findFirst().orElse(null);
    if (label == null) {
      throw first;
    }
  }

  /** Reads the labels. Changes nothing. */
  static PoolDevices find(PoolPath path, Environment environment) throws IOException {
    return new PoolDevices(path, environment);
  }

  private interface LabelReader {
    PoolLabel read(BlockDevice device) throws IOException;
  }

  private PoolLabel readLabel(Path file, LabelReader reader) throws IOException {
    try (BlockDevice unlimited = environment.devices().open(file, FileDevice.UNLIMITED_BYTES)) {
      return reader.read(unlimited);
    }
  }

  private static String problemOf(IOException failure) {
    return failure instanceof NoSuchFileException ? "it is missing" : failure.getMessage();
  }

  PoolLabel label() {
    return label;
  }

  private long capacity() {
    return Pool.capacity(label.capacityBytes());
  }

  /**
   * The name of a device for users: what an entry of the pool directory leads to; of a file in a
   * directory of its own, the directory.
   */
  static String nameOf(Path file) {
    try {
      if (Files.isSymbolicLink(file)) {
        Path target = file.resolveSibling(Files.readSymbolicLink(file)).normalize();
        Path directory = target.getParent();
        boolean isInDirectory =
            directory != null && target.getFileName().toString().equals(PoolPath.MEMBER_FILE);
        return (isInDirectory ? directory : target).toString();
      }
    } catch (IOException notReadable) {
      LOG.log(Level.DEBUG, "a link cannot be read", notReadable);
    }
    return file.toString();
  }

  /**
   * Opens them.
   *
   * @param table of the members as the index has it; empty where it has none: what is in the rings
   *     tells then
   * @param indexTxg the newest txg of the index; negative when that is not known
   * @throws DamagedPoolException when no member has everything
   */
  Opened open(List<MemberRecord> table, long indexTxg, Purpose purpose) throws IOException {
    // One that was never a mirror, with what an attach has left that did not come to its end.
    if (!label.isMirrored()) {
      Found single = found.stream().filter(each -> label.equals(each.label())).findFirst().get();
      BlockDevice device = environment.devices().open(single.file(), capacity());
      return new Opened(
          mirrorOf(
              device.name(),
              List.of(
                  MirrorMember.of(
                      single.number(),
                      PoolLabel.NO_MEMBER,
                      nameOf(single.file()),
                      device,
                      MemberState.ONLINE))),
          Map.of());
    }
    List<Candidate> candidates = new ArrayList<>();
    try {
      return open(candidates, table, indexTxg, purpose);
    } catch (IOException | RuntimeException failure) {
      for (Candidate each : candidates) {
        each.close();
      }
      throw failure;
    }
  }

  /** A member, and what was found of it. */
  private static final class Candidate {
    private final MemberRecord record;
    private final String name;
    private BlockDevice device;
    private long ringTxg;
    private MemberState state;
    private String problem = "";

    Candidate(MemberRecord record, String name) {
      this.record = record;
      this.name = name;
      this.state = record.state();
    }

    void give(MemberState newState, String newProblem) throws IOException {
      state = newState;
      problem = newProblem;
      close();
    }

    void close() throws IOException {
      if (device != null) {
        device.close();
        device = null;
      }
    }

    long completeTxg() {
      return record.state() == MemberState.ONLINE
          ? ringTxg
          : Math.min(ringTxg, record.completeTxg());
    }

    MirrorMember member() {
      return device == null
          ? MirrorMember.absent(record.number(), record.uuid(), name, state, problem)
          : MirrorMember.of(record.number(), record.uuid(), name, device, state);
    }
  }

  private Opened open(
      List<Candidate> candidates, List<MemberRecord> table, long indexTxg, Purpose purpose)
      throws IOException {
    for (MemberRecord record : table.isEmpty() ? byLabels() : table) {
      Candidate candidate = new Candidate(record, nameOf(path.data(record.number())));
      candidates.add(candidate);
      open(candidate);
    }
    long newest = candidates.stream().mapToLong(each -> each.ringTxg).max().orElse(0);
    if (indexTxg >= 0 && newest > indexTxg) {
      throw new DamagedIndexException(
          "%s: the index is stale: it has transaction %d, the pool has %d"
              .formatted(path.index(), indexTxg, newest));
    }
    long leastTxg = table.isEmpty() || indexTxg < 0 ? newest : indexTxg - 1;
    for (Candidate each : candidates) {
      if (each.device != null) {
        boolean hasAll = each.record.state() == MemberState.ONLINE && each.ringTxg >= leastTxg;
        each.state = hasAll ? MemberState.ONLINE : MemberState.RESILVERING;
      }
    }
    requireOneOnline(candidates);
    compareRings(candidates, purpose);
    Map<Integer, Long> completeTxgs = new HashMap<>();
    for (Candidate each : candidates) {
      if (each.state == MemberState.RESILVERING) {
        completeTxgs.put(each.record.number(), each.completeTxg());
        if (purpose == Purpose.READ) {
          each.give(MemberState.UNAVAIL, "it is behind");
        }
      } else if (each.state != MemberState.ONLINE && each.record.state() != MemberState.ONLINE) {
        completeTxgs.put(each.record.number(), each.record.completeTxg());
      }
    }
    List<MirrorMember> members = candidates.stream().map(Candidate::member).toList();
    MirrorDevice mirror = mirrorOf(path.directory().toString(), members);
    for (MirrorMember member : members) {
      if (member.state() != MemberState.ONLINE) {
        LOG.log(
            Level.WARNING,
            "{0}: the pool is degraded: {1} is {2}{3}",
            path.directory(),
            member.name(),
            member.state(),
            member.problem().isEmpty() ? "" : ": " + member.problem());
      }
    }
    return new Opened(mirror, completeTxgs);
  }

  private MirrorDevice mirrorOf(String name, List<MirrorMember> members) {
    return new MirrorDevice(name, members, environment.execution().syncers().get());
  }

  /** Without a table: whoever has a label of this pool. */
  private List<MemberRecord> byLabels() {
    List<MemberRecord> records = new ArrayList<>();
    for (Found each : found) {
      if (each.label() != null
          && each.label().uuid().equals(label.uuid())
          && each.label().isMirrored()) {
        records.add(
            new MemberRecord(
                each.number(), each.label().member(), MemberState.ONLINE, 0, OptionalInt.empty()));
      }
    }
    return records;
  }

  private void open(Candidate candidate) throws IOException {
    MemberRecord record = candidate.record;
    if (record.state() == MemberState.OFFLINE) {
      return;
    }
    Found entry =
        found.stream().filter(each -> each.number() == record.number()).findFirst().orElse(null);
    if (entry == null || entry.label() == null) {
      candidate.give(MemberState.UNAVAIL, entry == null ? "it is missing" : entry.problem());
      return;
    }
    if (!isOf(entry.label(), record.uuid())) {
      candidate.give(MemberState.UNAVAIL, "another device is in its place");
      return;
    }
    try {
      candidate.device = environment.devices().open(entry.file(), capacity());
      candidate.ringTxg = RootRing.newestTxg(candidate.device, label.uuid());
    } catch (IOException failure) {
      candidate.give(MemberState.UNAVAIL, problemOf(failure));
    }
  }

  private boolean isOf(PoolLabel each, UUID member) {
    return each.uuid().equals(label.uuid()) && each.member().equals(member);
  }

  private void requireOneOnline(List<Candidate> candidates) throws DamagedPoolException {
    if (candidates.stream().anyMatch(each -> each.state == MemberState.ONLINE)) {
      return;
    }
    List<String> problems = new ArrayList<>();
    for (Candidate each : candidates) {
      problems.add(
          each.name
              + (each.state == MemberState.RESILVERING
                  ? " has nothing after transaction " + each.completeTxg()
                  : " is " + each.state + (each.problem.isEmpty() ? "" : ": " + each.problem)));
    }
    throw new DamagedPoolException(
        "%s: no device of the mirror has everything: %s"
            .formatted(path.directory(), String.join("; ", problems)));
  }

  /**
   * After a crash, or where one is damaged, the rings of members that have everything differ. One
   * that cannot be mended is not used, where there is another one.
   */
  private void compareRings(List<Candidate> candidates, Purpose purpose) throws IOException {
    List<Candidate> online =
        candidates.stream().filter(each -> each.state == MemberState.ONLINE).toList();
    Candidate best = null;
    RootRing.Image ring = null;
    for (Candidate each :
        online.stream()
            .sorted(Comparator.comparingLong((Candidate it) -> it.ringTxg).reversed())
            .toList()) {
      if (best == null) {
        ring = wholeRing(each).orElse(null);
        best = ring == null ? null : each;
      }
    }
    if (best == null) {
      return; // Whoever reads the ring says what is wrong.
    }
    for (Candidate each : online) {
      if (purpose == Purpose.USE) {
        tryToMend(each, best, ring);
      } else if (each != best && wholeRing(each).isEmpty()) {
        each.give(MemberState.UNAVAIL, "its ring of root records is damaged");
      }
    }
  }

  private Optional<RootRing.Image> wholeRing(Candidate member) {
    try {
      // Whoever lies may tell of long ago when it is asked again.
      return Optional.of(RootRing.Image.of(member.device, label.uuid(), member.ringTxg));
    } catch (IOException notWhole) {
      LOG.log(Level.WARNING, "{0}: {1}", member.name, notWhole.getMessage());
      return Optional.empty();
    }
  }

  private void tryToMend(Candidate member, Candidate best, RootRing.Image ring) throws IOException {
    try {
      mendFront(member, ring);
    } catch (IOException failure) {
      LOG.log(Level.WARNING, "{0}: cannot be mended: {1}", member.name, failure.getMessage());
      if (member != best) {
        member.give(MemberState.UNAVAIL, problemOf(failure));
      }
    }
  }

  private void mendFront(Candidate member, RootRing.Image ring) throws IOException {
    boolean mended = mendLabel(member.device, label.ofMember(member.record.uuid()));
    if (ring.copyTo(member.device)) {
      mended = true;
    }
    if (mended) {
      member.device.sync();
    }
  }

  /** Returns whether there was anything to mend. */
  static boolean mendLabel(BlockDevice device, PoolLabel should) throws IOException {
    try {
      if (PoolLabel.read(device).equals(should)) {
        return false;
      }
    } catch (DamagedPoolException | UnsupportedFormatException damaged) {
      LOG.log(Level.WARNING, "{0}: mended", damaged.getMessage());
    }
    should.write(device);
    return true;
  }

  /**
   * Opens a member anew that was out of use.
   *
   * @throws IOException when it is not there, or another device is in its place; one line
   */
  static BlockDevice reopen(
      PoolPath path, PoolLabel label, MirrorMember member, Environment environment)
      throws IOException {
    Path file = path.data(member.number());
    BlockDevice device = null;
    try {
      device = environment.devices().open(file, Pool.capacity(label.capacityBytes()));
      PoolLabel found = PoolLabel.readEither(device);
      if (!found.uuid().equals(label.uuid()) || !found.member().equals(member.uuid())) {
        throw new DamagedPoolException(member.name() + ": another device is in its place");
      }
      return device;
    } catch (IOException failure) {
      if (device != null) {
        device.close();
      }
      if (failure instanceof NoSuchFileException) {
        throw new DamagedPoolException(member.name() + ": it is missing", failure);
      }
      throw failure;
    }
  }
}
