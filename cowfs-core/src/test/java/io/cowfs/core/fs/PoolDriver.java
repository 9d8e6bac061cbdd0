package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.pool.PoolAdministration;
import io.cowfs.core.pool.PoolAdministration.Mode;
import io.cowfs.core.pool.PoolAdministration.Scope;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.scrub.ScrubStatus;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileSystemStatus;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Does random operations on the files, datasets and snapshots of a pool, and on models at the same
 * time; keeps what must be found after a crash. Confined to one thread, with which the sync thread
 * takes turns.
 */
final class PoolDriver {
  static final String ROOT = "root";
  private static final int DATASETS_MAX = 4;
  private static final int SNAPSHOTS_MAX = 6;

  /** Enough for any scrub: then something hangs. */
  private static final Duration SCRUB_TIME = Duration.ofMinutes(5);

  /** Up to so much is left by a new quota. */
  private static final int QUOTA_LEFT_MAX = 2 << 20;

  /** The most that one change claims from a quota. */
  private static final int CLAIM_BYTES_MAX = 640 << 10;

  /** The same of a range that is cloned: its data, in two copies, and what is cut for it. */
  private static final int CLONE_CLAIM_BYTES_MAX =
      2 * VolumeDriver.FILE_BYTES_MAX + 2 * CLAIM_BYTES_MAX;

  /**
   * By how much a dataset may be above its quota: for nodes that were not counted before they were
   * written, and for deleting and making holes, which is allowed when the quota is full.
   */
  private static final int QUOTA_EXCESS_MAX = 512 << 10;

  interface Action {
    void run() throws FsException, IOException;
  }

  private final TestPool pool;

  /** Files are changed while a txg syncs. No operation waits for a commit then. */
  private final boolean keepsOperating;

  /** Space may be short at any time. */
  private final boolean isSmall;

  /** What a new dataset has. */
  private final Model empty = new Model(FileSystem.ROOT_INODE);

  /** One for each dataset; what is in their models is what there should be now. */
  private final TreeMap<String, VolumeDriver> drivers = new TreeMap<>();

  private final TreeMap<String, Model> snapshots = new TreeMap<>();

  /** In bytes. */
  private final TreeMap<String, Long> quotas = new TreeMap<>();

  private final PoolHolds holds;

  /** What datasets with a quota had when it was set, when they were rolled back or found. */
  private final Map<String, Long> usedBefore = new HashMap<>();

  /** What must be found after a crash, unless it is one of {@link #possible}. */
  private PoolState certain;

  /** Commits that were on their way. */
  private final List<PoolState> possible = new ArrayList<>();

  private long certainTxg;

  /** Ranges that were cloned are in their files when this is durable. */
  private long clonedInTxg;

  private int nextName;
  private int steps;
  private AssertionError failureInBackground;
  private String where = "";

  /** Files are changed by other threads than the client's, which waits meanwhile. */
  private boolean operatesInBackground;

  /** An operation of {@link #operateInScrub} is under way. */
  private boolean isOperating;

  /** In something that commits often: what each txg has, by the durable one before it. */
  private final TreeMap<Long, PoolState> frozen = new TreeMap<>();

  private boolean keepsFrozen;

  /** Nothing may be changed now. */
  private boolean isQuiet;

  /** Requests may be refused for damage, while the commit that they were to be in goes on. */
  private boolean mayBeRefused;

  /** A device of a mirror that lies when it is read. */
  private Optional<String> liar = Optional.empty();

  /** Null where nothing is done by the clock. */
  private final PoolHousekeeping housekeeping;

  /** An operation on datasets broke off in the middle. */
  private boolean wasInterrupted;

  /**
   * @param pool that was just made, and is open
   * @param clock of the pool, which is turned; null where nothing is done by it
   */
  PoolDriver(TestPool pool, boolean isSmall, boolean keepsOperating, SteadyClock clock)
      throws IOException, FsException {
    this.pool = pool;
    this.isSmall = isSmall;
    this.keepsOperating = keepsOperating;
    FileSystem fs = pool.pool().fileSystem(ROOT);
    Attributes root = fs.getAttributes(FileSystem.ROOT_INODE);
    empty.root.mode = root.mode() & 07777;
    empty.root.uid = root.uid();
    empty.root.gid = root.gid();
    holds = new PoolHolds(pool, this);
    housekeeping = clock == null ? null : new PoolHousekeeping(pool, this, clock);
    drivers.put(ROOT, newDriver(fs, empty.copy()));
    certain = now();
    certainTxg = pool.pool().status().txg();
  }

  private VolumeDriver newDriver(FileSystem fs, Model model) {
    VolumeDriver driver = new VolumeDriver(fs, model);
    if (housekeeping != null) {
      driver.expectClockSetBack();
    }
    return driver;
  }

  /** The last commit was seen. */
  private void seen(PoolState state) {
    if (housekeeping != null) {
      housekeeping.watch().look(state);
    }
  }

  /** Some commits were seen, of which each has one of these. */
  private void seenSome(List<PoolState> states) {
    if (housekeeping != null) {
      housekeeping.watch().look(states);
    }
  }

  int steps() {
    return steps;
  }

  /** What was done last. */
  String where() {
    return where;
  }

  void note(String what) {
    where += what;
  }

  /** From now on, or not any more, reads may find damage. */
  void expectRefusals(boolean may) {
    mayBeRefused = may;
  }

  /**
   * From now on this device of a mirror, if any, may go on lying when it is read: then a scrub
   * tells of its label and its root records, and of nothing else.
   */
  void expectLiesOf(Optional<String> device) {
    liar = device;
  }

  boolean wasInterrupted() {
    return wasInterrupted;
  }

  boolean isActive() {
    String state = pool.pool().status().state();
    return state.equals("active") || state.equals("degraded");
  }

  /** The txg of the last commit that was waited for. */
  long certainTxg() {
    return certainTxg;
  }

  /** The names of the next datasets and snapshots go on from here. */
  int nextName() {
    return nextName;
  }

  PoolHolds holds() {
    return holds;
  }

  void nextName(int next) {
    nextName = next;
  }

  /** What may be found after a crash, the most probable last. */
  List<PoolState> candidates() {
    List<PoolState> all = new ArrayList<>(possible);
    all.add(0, certain);
    return all;
  }

  /** What there is now may become durable. */
  void mayCommit() {
    possible.add(now());
  }

  /** Some steps, of which some fail with an error that is expected. */
  void work(long seed, int count, Set<FsError> expected) throws FsException, IOException {
    Random choice = new Random(seed);
    Set<FsError> errors = EnumSet.noneOf(FsError.class);
    errors.addAll(expected);
    if (isSmall) {
      errors.add(FsError.NO_SPACE);
    }
    if (housekeeping != null && errors.contains(FsError.NO_SPACE)) {
      housekeeping.watch().spaceIsShort();
    }
    operatesInBackground = keepsOperating && !errors.contains(FsError.NO_SPACE);
    if (operatesInBackground) {
      pool.device().beforeSync(() -> operateInSync(choice));
    }
    try {
      for (int i = 0; i < count && isActive() && !wasInterrupted; i++) {
        steps++;
        drivers.forEach((name, driver) -> driver.expect(withQuota(name, errors)));
        tolerating(errors, () -> step(choice, errors));
        if (failureInBackground != null) {
          throw failureInBackground;
        }
      }
    } finally {
      pool.device().beforeSync(() -> {});
      operatesInBackground = false;
    }
  }

  /** While a txg syncs, the next one is changed. */
  private void operateInSync(Random choice) {
    if (keepsFrozen) {
      // Some syncs are none of a commit: that comes later, with what was changed meanwhile.
      PoolState before = frozen.put(pool.pool().status().txg(), now());
      if (before != null) {
        possible.add(before);
      }
    }
    operateInBackground(choice.nextInt(3), choice);
  }

  /** Who wants to see or change what was cloned waits for a commit. */
  private boolean isCloneToCome() {
    return clonedInTxg > pool.pool().status().txg();
  }

  /** The scrub is about to read something: files change meanwhile. */
  private void operateInScrub(Random choice) {
    if (!isOperating) {
      isOperating = true;
      operateInBackground(choice.nextInt(8) == 0 ? 1 : 0, choice);
      isOperating = false;
    }
  }

  private void operateInBackground(int count, Random choice) {
    try {
      for (int i = count; i > 0 && !isQuiet && !isCloneToCome(); i--) {
        drivers.get(anyOf(List.copyOf(drivers.keySet()), choice)).step(choice.nextLong());
      }
    } catch (FsException | IOException failure) {
      where += ", in the background: " + failure;
    } catch (AssertionError | RuntimeException failure) {
      failureInBackground = new AssertionError("in the background: " + failure, failure);
    }
  }

  void tolerating(Set<FsError> expected, Action action) throws FsException, IOException {
    try {
      action.run();
    } catch (FsException failure) {
      if (!expected.contains(failure.error())) {
        throw failure;
      }
    } catch (DatasetException refused) {
      throw refused;
    } catch (IOException failure) {
      if (!expected.contains(FsError.IO)) {
        throw failure;
      }
    }
  }

  /** An operation may also be refused for the dataset's quota. */
  private Set<FsError> withQuota(String dataset, Set<FsError> errors) {
    if (!quotas.containsKey(dataset)) {
      return errors;
    }
    Set<FsError> more = EnumSet.of(FsError.QUOTA_EXCEEDED);
    more.addAll(errors);
    return more;
  }

  private void step(Random choice, Set<FsError> expected) throws FsException, IOException {
    String dataset = anyOf(List.copyOf(drivers.keySet()), choice);
    if (housekeeping != null && choice.nextInt(3) == 0) {
      housekeeping.turnClock(choice);
    }
    int kind = choice.nextInt(64);
    if (kind < 6) {
      syncAll(choice);
    } else if (kind < 10) {
      sync(dataset, choice);
    } else if (kind < 20) {
      wasInterrupted = true;
      isQuiet = mayBeRefused;
      long txg = pool.pool().status().txg();
      try {
        if (housekeeping != null && !mayBeRefused && choice.nextBoolean()) {
          housekeeping.step(dataset, choice);
        } else {
          administer(dataset, choice);
        }
        if (pool.pool().status().txg() != txg) {
          checkQuotas();
        }
      } catch (IOException failure) {
        finishCommit();
        throw failure;
      } finally {
        isQuiet = false;
      }
      wasInterrupted = false;
    } else if (kind == 20) {
      pool.dropCaches();
    } else if (kind == 21) {
      where = "punch";
      pool.punchSome();
    } else if (kind == 22 && !mayBeRefused && choice.nextInt(4) == 0) {
      ScrubStatus status = scrub(choice);
      if (pool.device().hasPower()) {
        assertEquals(
            List.of(), status.findings().stream().filter(found -> !isOfLiar(found)).toList());
      }
    } else if (kind == 23) {
      defragment(choice);
    } else if (kind < 27) {
      cloneRange(dataset, choice, expected);
    } else {
      boolean mayWait = mayWait(dataset, expected) || isCloneToCome();
      VolumeDriver driver = drivers.get(dataset);
      operate(dataset, () -> driver.step(choice.nextLong()), mayWait, CLAIM_BYTES_MAX);
    }
  }

  /** Where space or the quota is short, operations on files may wait for commits. */
  private boolean mayWait(String dataset, Set<FsError> expected) {
    return expected.contains(FsError.NO_SPACE) || quotas.containsKey(dataset);
  }

  /** Who is refused is told at once, while the commit goes on. */
  private void finishCommit() {
    try {
      pool.commit();
    } catch (IOException suspended) {
      // It came to nothing.
    }
  }

  /**
   * One operation on files.
   *
   * @param mayCommit it may wait for commits before it changes anything
   * @param claimMax what it claims from a quota at most, in bytes
   */
  private void operate(String dataset, Action operation, boolean mayCommit, int claimMax)
      throws FsException, IOException {
    VolumeDriver driver = drivers.get(dataset);
    Commits commits = new Commits(mayCommit);
    driver.beforeNextChange(commits::nextChange);
    try {
      operation.run();
    } catch (FsException refused) {
      requireFullQuota(dataset, claimMax, refused);
    } finally {
      driver.beforeNextChange(() -> {});
      where = dataset + ": " + driver.trace();
      commits.look();
    }
  }

  /** Looks for commits during an operation: they have all that was there before its next change. */
  private final class Commits {
    private final boolean mayCommit;
    private long txg = pool.pool().status().txg();
    private PoolState before;

    Commits(boolean mayCommit) {
      this.mayCommit = mayCommit;
      nextChange();
    }

    void nextChange() {
      look();
      if (mayCommit) {
        before = now();
        possible.clear();
        possible.add(before);
      }
    }

    void look() {
      long committed = pool.pool().status().txg();
      if (committed != txg) {
        assertTrue(mayCommit, "an operation has committed");
        certain = before;
        certainTxg = committed;
        seen(before);
        txg = committed;
      }
    }
  }

  /**
   * Runs something after which a state is durable. What was there before it may become durable
   * alone.
   */
  void commits(PoolState after, Action action) throws FsException, IOException {
    commits(List.of(after), action);
  }

  /** The same, where there are several states one after the other. */
  void commits(List<PoolState> states, Action action) throws FsException, IOException {
    PoolState after = states.get(states.size() - 1);
    possible.clear();
    possible.add(now());
    possible.addAll(states);
    action.run();
    certain = after;
    certainTxg = pool.pool().status().txg();
    possible.clear();
    seen(after);
    if (pool.device().hasPower()) {
      pool.remember();
    }
  }

  /** fsync of one file: its content is durable, and with it all that came before. */
  private void sync(String dataset, Random choice) throws FsException, IOException {
    List<ModelNode> nodes = drivers.get(dataset).model().all();
    ModelNode node = nodes.get(choice.nextInt(nodes.size()));
    where = "fsync inode " + node.inode;
    FileSystem fs = pool.pool().fileSystem(dataset);
    long syncs = pool.syncs();
    PoolState saved = save(() -> fs.sync(Caller.ROOT, node.inode, choice.nextBoolean()));
    if (pool.syncs() > syncs) {
      certain = saved;
      certainTxg = pool.pool().status().txg();
      seen(saved);
      return;
    }
    Model durable = certain.datasets().get(dataset);
    ModelNode there = durable == null ? null : durable.byInode().get(node.inode);
    assertTrue(there != null && there.hasContentOf(node), "fsync has done nothing");
  }

  /**
   * Nothing changes by it. Files may be changed between what it reads and what it does: each state
   * may become durable, and in the end the last one is.
   */
  private void defragment(Random choice) throws FsException, IOException {
    where = "defragment";
    possible.clear();
    possible.add(now());
    keepsFrozen = true;
    wasInterrupted = true; // Where it ends with an error, some of its commits may not be known.
    drivers.values().forEach(each -> each.beforeNextChange(() -> possible.add(now())));
    try {
      pool.pool()
          .defragmenter()
          .run(
              (soFar, part) -> {
                if (operatesInBackground && choice.nextInt(3) == 0) {
                  operateInBackground(1, choice);
                  possible.add(now());
                }
                return true;
              });
    } finally {
      drivers.values().forEach(each -> each.beforeNextChange(() -> {}));
      keepsFrozen = false;
      possible.addAll(frozen.values());
      frozen.clear();
    }
    // The next txg is changed while this one syncs.
    PoolState last = now();
    possible.add(last);
    pool.commit();
    certain = last;
    certainTxg = pool.pool().status().txg();
    seenSome(possible);
    possible.clear();
    wasInterrupted = false;
    if (pool.device().hasPower()) {
      pool.remember();
    }
  }

  void syncAll(Random random) throws FsException, IOException {
    where = "syncAll";
    FileSystem fs = pool.pool().fileSystem(anyOf(List.copyOf(drivers.keySet()), random));
    certain = save(fs::syncAll);
    certainTxg = pool.pool().status().txg();
    possible.clear();
    seen(certain);
    if (pool.device().hasPower()) {
      pool.remember();
    }
  }

  /**
   * What there is now becomes durable, in the log or by a commit. That comes after the log where a
   * device has missed it, and has what was changed meanwhile.
   *
   * @return what is durable
   */
  private PoolState save(Action action) throws FsException, IOException {
    PoolState saved = now();
    possible.clear();
    possible.add(saved);
    keepsFrozen = true;
    try {
      action.run();
    } finally {
      keepsFrozen = false;
      possible.addAll(frozen.values());
      Map.Entry<Long, PoolState> committed = frozen.lowerEntry(pool.pool().status().txg());
      saved = committed == null ? saved : committed.getValue();
      frozen.clear();
    }
    return saved;
  }

  /**
   * Reads everything, to the end if no commit fails; one that a crash has interrupted goes on. In
   * some lives, files change between what it reads.
   */
  ScrubStatus scrub(Random choice) throws IOException {
    where = "scrub";
    ScrubStatus[] status = new ScrubStatus[1];
    walk(
        choice,
        () -> {
          pool.pool().scrub().start();
          status[0] = pool.pool().scrub().await(SCRUB_TIME);
        });
    if (isActive()) {
      assertEquals(ScrubStatus.State.FINISHED, status[0].state());
    }
    return status[0];
  }

  private boolean isOfLiar(String finding) {
    return liar.isPresent()
        && (finding.startsWith("scrub/label: " + liar.get() + ": ")
            || finding.startsWith("scrub/ring: " + liar.get() + ": "));
  }

  /** Has a device of a mirror catch up. In some lives, files change meanwhile. */
  void catchUp(Random choice, Walk action) throws IOException, FsException {
    where = "catch up";
    commitClones();
    drivers.forEach((name, driver) -> driver.expect(withQuota(name, Set.of())));
    operatesInBackground = keepsOperating;
    if (keepsOperating) {
      pool.device().beforeSync(() -> operateInSync(choice));
    }
    try {
      walk(choice, action);
    } finally {
      pool.device().beforeSync(() -> {});
      operatesInBackground = false;
    }
    if (failureInBackground != null) {
      throw failureInBackground;
    }
  }

  interface Walk {
    void run() throws IOException;
  }

  /**
   * Something that reads everything, in several commits. What is refused in the end may have made
   * some of them.
   */
  private void walk(Random choice, Walk action) throws IOException {
    long txgBefore = pool.pool().status().txg();
    PoolState last = now();
    possible.clear();
    possible.add(last);
    keepsFrozen = true;
    try {
      if (operatesInBackground) {
        pool.device().onMediumReads(() -> operateInScrub(choice));
      }
      action.run();
    } finally {
      pool.device().onMediumReads(() -> {});
      keepsFrozen = false;
      possible.addAll(frozen.values());
      long txg = pool.pool().status().txg();
      if (isActive() && txg != txgBefore) {
        // What its last txg has; without changes meanwhile it is what there is now.
        Map.Entry<Long, PoolState> committed = frozen.lowerEntry(txg);
        certain = committed == null ? last : committed.getValue();
        certainTxg = txg;
        seenSome(possible);
        possible.clear();
      }
      frozen.clear();
    }
  }

  /** Commits, so that nothing is in the log only. */
  void commit() throws FsException, IOException {
    where = "commit";
    commits(now(), pool::commit);
  }

  /** Throws any other refusal. */
  private void requireFullQuota(String dataset, int claimMax, FsException refused)
      throws FsException {
    if (refused.error() != FsError.QUOTA_EXCEEDED) {
      throw refused;
    }
    long used = referencedBytes(dataset);
    assertTrue(used + claimMax > quotas.get(dataset), () -> "refused with " + used);
  }

  // ---- cloned ranges

  /** Puts a range of some file into one of the dataset: of this one, another one or a snapshot. */
  private void cloneRange(String dataset, Random choice, Set<FsError> expected)
      throws FsException, IOException {
    int kind = choice.nextInt(8);
    String snapshot = kind == 0 ? anyOfOrNull(List.copyOf(snapshots.keySet()), choice) : null;
    String from = kind < 3 ? anyOf(List.copyOf(drivers.keySet()), choice) : dataset;
    VolumeDriver driver = drivers.get(dataset);
    Model model = snapshot == null ? drivers.get(from).model() : snapshots.get(snapshot);
    ModelNode source = anyOfOrNull(VolumeDriver.sources(model, choice), choice);
    VolumeDriver.Clone clone = source == null ? null : driver.chooseClone(source, choice);
    if (clone == null) {
      return;
    }
    // With its gates shut nobody may wait for a commit to go on in a file.
    boolean wasQuiet = isQuiet;
    isQuiet = true;
    try {
      if (snapshot != null) {
        SourceTree tree = new SourceTree(pool.rootOf(snapshot), snapshot, () -> true);
        commitClone(dataset, clone, () -> driver.cloneRange(tree, clone));
      } else if (!from.equals(dataset)) {
        commitClone(dataset, clone, () -> driver.cloneRange(drivers.get(from), clone));
      } else {
        boolean copies = kind < 5 && !mayWait(dataset, expected);
        Action action =
            copies ? () -> driver.copyRange(clone) : () -> driver.cloneRange(driver, clone);
        operate(dataset, action, true, CLONE_CLAIM_BYTES_MAX);
        clonedInTxg = pool.pool().status().txg() + 1;
      }
    } finally {
      isQuiet = wasQuiet;
    }
  }

  /** What was there before is committed first; then it is, and is durable. */
  private void commitClone(String dataset, VolumeDriver.Clone clone, Action action)
      throws FsException, IOException {
    PoolState after = now();
    ModelNode target = after.datasets().get(dataset).byInode().get(clone.target().inode);
    if (target != null) {
      clone.changes(target);
    }
    Commits others = new Commits(true);
    try {
      commits(after, action);
    } catch (FsException refused) {
      if (isActive()) {
        others.nextChange();
      }
      requireFullQuota(dataset, CLONE_CLAIM_BYTES_MAX, refused);
    } finally {
      where = dataset + ": " + drivers.get(dataset).trace();
    }
  }

  /** Whoever looks at a file then waits for nothing. */
  void commitClones() throws FsException, IOException {
    if (isCloneToCome()) {
      commit();
    }
  }

  // ---- quotas

  /** Everything is committed: nothing is claimed, and no quota was overrun. */
  private void checkQuotas() throws FsException, IOException {
    long free = Long.MAX_VALUE;
    for (String dataset : drivers.keySet()) {
      free = quotas.containsKey(dataset) ? free : Math.min(free, freeBytes(dataset));
    }
    for (Map.Entry<String, Long> quota : quotas.entrySet()) {
      String dataset = quota.getKey();
      long used = referencedBytes(dataset);
      long allowed = Math.max(quota.getValue(), usedBefore.get(dataset)) + QUOTA_EXCESS_MAX;
      assertTrue(used <= allowed, () -> dataset + " has " + used + " of " + quota);
      long left = Math.max(0, quota.getValue() - used);
      if (left <= free && free != Long.MAX_VALUE) {
        assertEquals(left, freeBytes(dataset), dataset + ": what the quota leaves");
      }
    }
  }

  private long freeBytes(String dataset) throws FsException, IOException {
    FileSystemStatus status = pool.pool().fileSystem(dataset).status();
    return status.freeBlocks() * status.blockSize();
  }

  private long referencedBytes(String dataset) {
    for (DatasetInfo info : pool.pool().list()) {
      if (info.fullName().equals(dataset)) {
        return info.referencedBytes();
      }
    }
    throw new IllegalArgumentException(dataset);
  }

  /** Sets one that leaves little, or takes it away. */
  private void setQuota(String dataset, Random choice) throws FsException, IOException {
    PoolState after = now();
    String text = "none";
    if (choice.nextInt(4) == 0) {
      after.quotas().remove(dataset);
    } else {
      long left = choice.nextInt(QUOTA_LEFT_MAX / BlockPointer.SECTOR_BYTES);
      long quota = referencedBytes(dataset) + left * BlockPointer.SECTOR_BYTES;
      after.quotas().put(dataset, quota);
      text = Long.toString(quota);
    }
    where = "quota of " + dataset + " " + text;
    Map<String, String> property = Map.of("quota", text);
    commits(after, () -> pool.pool().administration().setProperties(dataset, null, property));
    quotas.clear();
    quotas.putAll(after.quotas());
    usedBefore.put(dataset, referencedBytes(dataset));
  }

  // ---- datasets and snapshots

  private void administer(String dataset, Random choice) throws FsException, IOException {
    PoolAdministration administration = pool.pool().administration();
    String snapshot = anySnapshotOf(dataset, choice);
    PoolState after = now();
    switch (choice.nextInt(15)) {
      case 0, 1, 2 -> {
        if (snapshots.keySet().stream().filter(PoolDriver::isOfUser).count() < SNAPSHOTS_MAX) {
          takeSnapshot(dataset, choice, after);
        }
      }
      case 3 -> {
        if (drivers.size() < DATASETS_MAX && snapshot != null) {
          String clone = "c" + nextName++;
          where = "clone " + dataset + "@" + snapshot + " as " + clone;
          after.datasets().put(clone, snapshots.get(dataset + "@" + snapshot).copy());
          commits(after, () -> administration.cloneSnapshot(dataset, snapshot, clone, Map.of()));
          mount(clone, after.datasets().get(clone));
        }
      }
      case 4 -> {
        if (drivers.size() < DATASETS_MAX) {
          createDataset();
        }
      }
      case 5, 6 -> {
        if (snapshot != null) {
          rollBack(
              dataset, snapshot, snapshots.get(dataset + "@" + snapshot), choice.nextBoolean());
        }
      }
      case 7, 8 -> {
        if (snapshot != null) {
          where = "destroy " + dataset + "@" + snapshot;
          Action destroy =
              () -> administration.destroySnapshots(dataset, snapshot, Scope.ONE, Mode.EXECUTE);
          if (holds.has(dataset + "@" + snapshot)) {
            holds.requireRefused(destroy);
            return;
          }
          after.snapshots().remove(dataset + "@" + snapshot);
          commits(after, destroy);
          snapshots.remove(dataset + "@" + snapshot);
        }
      }
      case 9 -> {
        if (snapshot != null) {
          String renamed = "r" + nextName++;
          where = "rename " + dataset + "@" + snapshot + " to " + renamed;
          after
              .snapshots()
              .put(dataset + "@" + renamed, after.snapshots().remove(dataset + "@" + snapshot));
          after.renamed(dataset + "@" + snapshot, dataset + "@" + renamed);
          commits(after, () -> administration.renameSnapshot(dataset, snapshot, renamed));
          haveSnapshots(after);
          holds.have(after);
        }
      }
      case 10, 11 -> {
        // What waits for commits cannot be done during one.
        if (!keepsOperating) {
          setQuota(dataset, choice);
        }
      }
      case 12, 13 -> {
        if (snapshot != null) {
          holds.change(dataset, snapshot, choice);
        }
      }
      default -> {
        if (!dataset.equals(ROOT)) {
          destroyDataset(dataset);
        }
      }
    }
  }

  private static boolean isOfUser(String snapshot) {
    return !snapshot.contains("@" + PoolHousekeeping.AUTOMATIC);
  }

  /** For a dataset or a snapshot. */
  String freshName() {
    return "n" + nextName++;
  }

  /** These are the snapshots from now on. */
  void haveSnapshots(PoolState state) {
    snapshots.clear();
    snapshots.putAll(state.snapshots());
  }

  Set<String> datasets() {
    return new TreeSet<>(drivers.keySet());
  }

  /** Whether nothing changes files while a txg syncs. */
  void beQuiet() {
    isQuiet = true;
  }

  private String anySnapshotOf(String dataset, Random choice) {
    List<String> found =
        snapshots.keySet().stream().filter(name -> name.startsWith(dataset + "@")).toList();
    String name = anyOfOrNull(found, choice);
    return name == null ? null : name.substring(dataset.length() + 1);
  }

  private void takeSnapshot(String dataset, Random choice, PoolState after)
      throws FsException, IOException {
    String name = "s" + nextName++;
    boolean all = choice.nextInt(4) == 0;
    where = "snapshot " + (all ? "of all " : dataset) + "@" + name;
    for (String each : all ? drivers.keySet() : Set.of(dataset)) {
      after.snapshots().put(each + "@" + name, after.datasets().get(each).copy());
    }
    Scope scope = all ? Scope.WITH_DESCENDANTS : Scope.ONE;
    commits(after, () -> pool.pool().administration().snapshot(all ? ROOT : dataset, name, scope));
    snapshots.clear();
    snapshots.putAll(after.snapshots());
  }

  private void createDataset() throws FsException, IOException {
    String name = "d" + nextName++;
    where = "create " + name;
    PoolState after = now();
    after.datasets().put(name, empty.copy());
    commits(after, () -> pool.pool().administration().createDataset(name, Map.of()));
    mount(name, after.datasets().get(name));
  }

  /**
   * @param target what the snapshot or checkpoint has
   */
  void rollBack(String dataset, String snapshot, Model target, boolean discard)
      throws FsException, IOException {
    PoolAdministration administration = pool.pool().administration();
    where = "roll back " + dataset + "@" + snapshot + (discard ? ", discarding" : "");
    PoolState before = now();
    PoolState after = now();
    after.datasets().put(dataset, target.copy());
    isQuiet = true;
    try {
      if (discard) {
        commits(after, () -> administration.rollbackAndDiscard(dataset, snapshot));
      } else {
        // Its name is not known before; what it holds is.
        PoolState unnamed = after.copy();
        unnamed.snapshots().put(dataset + PoolState.UNNAMED, before.datasets().get(dataset));
        String[] kept = new String[1];
        commits(unnamed, () -> kept[0] = administration.rollback(dataset, snapshot));
        after.snapshots().put(dataset + "@" + kept[0], before.datasets().get(dataset));
        certain = after;
      }
    } catch (DatasetException refused) {
      if (refused.reason() != DatasetException.Reason.NOT_FOUND
          || snapshots.containsKey(dataset + "@" + snapshot)) {
        assertEquals(DatasetException.Reason.BUSY, refused.reason(), refused.getMessage());
        assertTrue(discard, refused.getMessage());
      }
      commits(now(), pool::commit);
      return;
    }
    isQuiet = mayBeRefused;
    snapshots.clear();
    snapshots.putAll(certain.snapshots());
    drivers.get(dataset).rolledBack(target.copy());
    usedBefore.put(dataset, referencedBytes(dataset));
  }

  /** With its snapshots; clones of those live on. */
  private void destroyDataset(String dataset) throws FsException, IOException {
    where = "destroy " + dataset;
    Action destroy =
        () ->
            pool.pool()
                .administration()
                .destroyDataset(dataset, Scope.WITH_DESCENDANTS, Mode.EXECUTE);
    if (holds.hasAnyOf(dataset)) {
      VolumeDriver driver = drivers.get(dataset);
      holds.requireRefused(
          () -> {
            driver.letGo();
            pool.pool().closeFileSystem(dataset);
            destroy.run();
          });
      drivers.put(dataset, newDriver(pool.pool().fileSystem(dataset), driver.model()));
      return;
    }
    PoolState after = now();
    after.datasets().remove(dataset);
    after.quotas().remove(dataset);
    after.snapshots().keySet().removeIf(name -> name.startsWith(dataset + "@"));
    isQuiet = true;
    commits(
        after,
        () -> {
          drivers.get(dataset).letGo();
          pool.pool().closeFileSystem(dataset);
          destroy.run();
        });
    drivers.remove(dataset);
    quotas.remove(dataset);
    snapshots.clear();
    snapshots.putAll(after.snapshots());
  }

  // ---- mounting

  /** A dataset that is there for certain; nothing else becomes durable with it. */
  private void mount(String dataset, Model model) throws IOException {
    drivers.put(dataset, newDriver(pool.pool().fileSystem(dataset), model.copy()));
  }

  /**
   * The pool was opened, and is in this state, durably.
   *
   * @param committed what commits may have that nobody has seen
   */
  void isFound(PoolState state, List<PoolState> committed) throws IOException {
    holds.have(state);
    if (housekeeping != null) {
      pool.startHousekeeping();
      housekeeping.watch().found(committed);
    }
    begin(state);
  }

  /** The pool was put back to what it was at this time, and opened. */
  void isPutBack(PoolState state) throws IOException {
    holds.have(state);
    if (housekeeping != null) {
      pool.startHousekeeping();
      housekeeping.watch().putBack(state);
    }
    begin(state.copy());
  }

  private void begin(PoolState state) throws IOException {
    haveSnapshots(state);
    quotas.clear();
    quotas.putAll(state.quotas());
    holds.have(state);
    quotas.keySet().forEach(dataset -> usedBefore.put(dataset, referencedBytes(dataset)));
    drivers.clear();
    for (Map.Entry<String, Model> each : state.datasets().entrySet()) {
      FileSystem fs = pool.pool().fileSystem(each.getKey());
      drivers.put(each.getKey(), newDriver(fs, each.getValue()));
    }
    certain = now();
    certainTxg = pool.pool().status().txg();
    possible.clear();
    clonedInTxg = 0;
    wasInterrupted = false;
  }

  void unmountAll() {
    drivers.values().forEach(VolumeDriver::letGo);
  }

  /** What there should be now. */
  PoolState now() {
    PoolState now =
        new PoolState(
            new TreeMap<>(),
            new TreeMap<>(snapshots),
            new TreeMap<>(quotas),
            holds.all(),
            housekeeping == null ? new TreeMap<>() : housekeeping.watch().known());
    drivers.forEach((name, driver) -> now.datasets().put(name, driver.model().copy()));
    return now;
  }

  /** Looks at some snapshots through clones of them. */
  void checkSnapshots(int count, Random random) throws IOException, FsException {
    PoolAdministration administration = pool.pool().administration();
    List<String> names = new ArrayList<>(snapshots.keySet());
    for (int i = 0; i < count && !names.isEmpty(); i++) {
      String name = names.remove(random.nextInt(names.size()));
      int at = name.indexOf('@');
      String clone = "look" + nextName++;
      administration.cloneSnapshot(name.substring(0, at), name.substring(at + 1), clone, Map.of());
      snapshots.get(name).copy().compare(pool.pool().fileSystem(clone), random);
      pool.pool().closeFileSystem(clone);
      administration.destroyDataset(clone, Scope.WITH_DESCENDANTS, Mode.EXECUTE);
    }
    if (housekeeping != null) {
      seen(null);
      housekeeping.checkCheckpoint(random);
    }
    certain = now();
    certainTxg = pool.pool().status().txg();
  }

  static <T> T anyOfOrNull(List<T> list, Random choice) {
    return list.isEmpty() ? null : anyOf(list, choice);
  }

  static <T> T anyOf(List<T> list, Random choice) {
    return list.get(choice.nextInt(list.size()));
  }
}
