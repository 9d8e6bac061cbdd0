package io.cowfs.core.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CacheLimits;
import io.cowfs.core.block.Reference;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.FaultInjectingDevice;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import io.cowfs.core.device.FaultInjectingDevice.PowerSupply;
import io.cowfs.core.device.MemberState;
import io.cowfs.core.device.NewDevice;
import io.cowfs.core.pool.PoolAdministration.Mode;
import io.cowfs.core.pool.PoolAdministration.Scope;
import io.cowfs.core.scrub.SpaceAudit;
import io.cowfs.core.txg.DirtyLimit;
import io.cowfs.core.vfs.FileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A pool whose device is in memory and fails on demand, and whose index is a real one; or one on a
 * mirror of two of them. It can be closed, cut off from its power, and opened again. Not
 * thread-safe; what it gives out is.
 */
public final class TestPool implements AutoCloseable {
  /** Commits only when asked, or when much is dirty. */
  public static final DirtyLimit ON_DEMAND =
      new DirtyLimit(256L << 20, 64L << 20, 8L << 20, 100, 1L << 40, 3_600_000);

  /** Commits only when asked. */
  private static final DirtyLimit ONLY_ON_DEMAND =
      new DirtyLimit(1L << 40, 1L << 40, 1L << 40, 100, 1L << 40, 3_600_000);

  /** Commits all the time. */
  public static final DirtyLimit RESTLESS =
      new DirtyLimit(8L << 20, 1L << 20, 8L << 20, 100, 1L << 40, 1);

  private static final String DATASET = "root";

  /** Enough for anything that is done in the background: then something hangs. */
  private static final Duration BACKGROUND_TIME = Duration.ofMinutes(5);

  private static final int INDEX_MARGIN_BYTES = 256 << 10;

  private final Path directory;
  private final DirtyLimit limit;
  private final Map<Long, Roots> history = new HashMap<>();

  /**
   * The directories of the devices of a mirror, by number; empty where there is none. Those that
   * are no members any more, or not yet, are among them. The sole device is in the pool directory.
   */
  private final List<Path> places;

  private final long capacityBytes;

  private final List<FaultInjectingDevice> devices = new ArrayList<>();

  /** The number of the device that is looked at. */
  private int main;

  /** Of the devices of a mirror. */
  private PowerSupply power = new PowerSupply();

  private Pool pool;
  private Clock clock = Clock.systemUTC();
  private Environment.Execution execution = Environment.Execution.CONCURRENT;

  /** Applied to the device at each opening. */
  private Consumer<FaultInjectingDevice> faults = opened -> {};

  /** Of a repeatable pool: what its housekeeper does; null while there is none. */
  private Runnable round;

  /** Something was destroyed and may not be freed yet. */
  private boolean mayBeFreeing;

  /** What a commit has reached. */
  private record Roots(List<NodeRecord> nodes, BlockPointer directory) {}

  /** What a new pool is made on. */
  private enum Layout {
    SOLE_DEVICE,
    MIRROR
  }

  private TestPool(Path directory, List<Path> places, long capacityBytes, DirtyLimit limit) {
    this.directory = directory;
    this.places = new ArrayList<>(places);
    this.capacityBytes = capacityBytes;
    this.limit = limit;
    for (int i = 0; i < Math.max(1, places.size()); i++) {
      devices.add(new FaultInjectingDevice(capacityBytes));
    }
  }

  /** A new pool, open. */
  public static TestPool create(
      Path directory, long capacityBytes, CompressionSetting compression, DirtyLimit limit)
      throws IOException {
    TestPool made = new TestPool(directory, List.of(), capacityBytes, limit);
    made.createAndOpen(capacityBytes, compression, Layout.SOLE_DEVICE);
    return made;
  }

  /**
   * The same, but each run of it is the same as the others, when its client is one thread.
   *
   * @param seed of the pool's id
   */
  public static TestPool createRepeatable(
      Path directory, long capacityBytes, Clock clock, long seed) throws IOException {
    return createRepeatable(directory, List.of(), Layout.SOLE_DEVICE, capacityBytes, clock, seed);
  }

  /**
   * The same on a mirror of two devices, which run on one power supply.
   *
   * @param base what it is to be made in; exists
   */
  public static TestPool createRepeatableMirror(
      Path base, long capacityBytes, Clock clock, long seed) throws IOException {
    Path real = base.toRealPath();
    List<Path> places =
        List.of(Files.createDirectory(real.resolve("a")), Files.createDirectory(real.resolve("b")));
    return createRepeatable(
        real.resolve("pool"), places, Layout.MIRROR, capacityBytes, clock, seed);
  }

  /** The same on a device of its own, which is to become one of a mirror. */
  public static TestPool createRepeatableSole(Path base, long capacityBytes, Clock clock, long seed)
      throws IOException {
    Path directory = base.toRealPath().resolve("pool");
    return createRepeatable(
        directory, List.of(directory), Layout.SOLE_DEVICE, capacityBytes, clock, seed);
  }

  private static TestPool createRepeatable(
      Path directory, List<Path> places, Layout layout, long capacityBytes, Clock clock, long seed)
      throws IOException {
    TestPool made = new TestPool(directory, places, capacityBytes, ONLY_ON_DEMAND);
    made.clock = clock;
    made.execution = RepeatableExecution.of(seed, made::keepRound);
    made.createAndOpen(capacityBytes, CompressionSetting.NONE, layout);
    return made;
  }

  /**
   * A pool that is closed, to be put back.
   *
   * @param links to the devices of a mirror, in the pool directory
   */
  public record Saved(List<FaultInjectingDevice> devices, byte[] index, Map<Path, Path> links) {}

  /** Of a pool that is closed. */
  public Saved save() throws IOException {
    byte[] index = Files.readAllBytes(indexFile());
    int end = index.length;
    while (end > 0 && index[end - 1] == 0) {
      end--;
    }
    // Pages at the end of what is in use may be zeros.
    return new Saved(
        devices.stream().map(FaultInjectingDevice::reopen).toList(),
        Arrays.copyOf(index, end + INDEX_MARGIN_BYTES),
        links());
  }

  private Map<Path, Path> links() throws IOException {
    Map<Path, Path> links = new HashMap<>();
    for (Path entry : new PoolPath(directory).devices().values()) {
      if (Files.isSymbolicLink(entry)) {
        links.put(entry, Files.readSymbolicLink(entry));
      }
    }
    return links;
  }

  /** Of a pool that is closed. It belongs to this one or to another one of the same capacity. */
  public void restore(Saved saved) throws IOException {
    // The file keeps its space on the host, and what LMDB does not look at.
    try (FileChannel channel = FileChannel.open(indexFile(), StandardOpenOption.WRITE)) {
      ByteBuffer index = ByteBuffer.wrap(saved.index);
      while (index.hasRemaining()) {
        channel.write(index, index.position());
      }
    }
    forgetPlaces(saved.devices.size());
    restoreLinks(saved.links);
    for (int i = 0; i < devices.size(); i++) {
      devices.set(i, saved.devices.get(i).reopen());
      if (!places.isEmpty() && !Files.exists(file(i))) {
        putBack(i);
      }
    }
    power = new PowerSupply();
    history.clear();
  }

  /** Those beyond the first ones are there no more. */
  private void forgetPlaces(int count) throws IOException {
    while (devices.size() > count) {
      int last = devices.size() - 1;
      Files.deleteIfExists(file(last));
      Files.deleteIfExists(places.get(last));
      places.remove(last);
      devices.remove(last);
    }
  }

  private void restoreLinks(Map<Path, Path> saved) throws IOException {
    Map<Path, Path> now = links();
    if (now.equals(saved)) {
      return;
    }
    for (Path link : now.keySet()) {
      Files.delete(link);
    }
    for (Map.Entry<Path, Path> link : saved.entrySet()) {
      Files.createSymbolicLink(link.getKey(), link.getValue());
    }
  }

  private Path indexFile() {
    return directory.resolve("index").resolve("data.mdb");
  }

  private void createAndOpen(long capacityBytes, CompressionSetting compression, Layout layout)
      throws IOException {
    List<NewMember> mirror =
        (layout == Layout.MIRROR ? places : List.<Path>of())
            .stream().map(place -> new NewMember(place, NewDevice.Overwrite.REFUSE)).toList();
    Pool.create(
        directory, new Pool.CreateOptions(capacityBytes, compression, null, mirror), environment());
    devices.replaceAll(FaultInjectingDevice::reopen);
    open();
  }

  /**
   * What the pool does again and again is done when the test says so: housekeeping by {@link
   * #housekeep}, defragmentation by those who ask for it.
   */
  private Environment.Ending keepRound(
      String name, Supplier<Duration> untilNext, Runnable newRound) {
    if (!name.equals("cowfs-housekeeper")) {
      return () -> {};
    }
    round = newRound;
    return () -> round = null;
  }

  private Environment environment() {
    return new Environment(new MemoryDevices(), limit, CacheLimits.DEFAULT, clock, execution);
  }

  /** Where the file of a device is. */
  private Path file(int number) {
    return places.get(number).resolve("data");
  }

  /** The devices in memory, whoever opens them. */
  private final class MemoryDevices implements Environment.Devices {
    @Override
    public BlockDevice create(Path file, long capacityBytes) throws IOException {
      Files.createFile(file);
      return open(file, capacityBytes);
    }

    @Override
    public BlockDevice open(Path file, long capacityBytes) throws IOException {
      int number = places.isEmpty() ? 0 : places.indexOf(file.toRealPath().getParent());
      FaultInjectingDevice device = devices.get(number).reopen();
      if (!places.isEmpty()) {
        device.connect(power);
      }
      devices.set(number, device);
      faults.accept(device);
      return device;
    }
  }

  /** The time that it goes by from the next opening on. */
  public void setClock(Clock newClock) {
    clock = newClock;
  }

  /** Opens it again after {@link #close}, {@link #crash}. */
  public void open() throws IOException {
    pool = Pool.open(directory, environment());
  }

  /**
   * From now on a repeatable pool keeps checkpoints, and {@link #housekeep} does what is due. What
   * was interrupted comes to its end first.
   */
  public void startHousekeeping() throws IOException {
    if (!places.isEmpty()) {
      freeDestroyed(); // A device that is behind waits for it.
    }
    pool.startHousekeeping(() -> {});
    pool.scrub().await(BACKGROUND_TIME);
    pool.mirror().awaitResilver();
  }

  /** One round of the housekeeper. */
  public void housekeep() {
    round.run();
  }

  /** Of a pool that is closed. */
  IndexRecovery.Result rebuildIndex() throws IOException {
    return IndexRecovery.run(directory, environment());
  }

  /** Of a pool that is closed. */
  List<Rewind.Commit> rootRecords() throws IOException {
    return Rewind.list(directory, environment());
  }

  /** Of a pool that is closed. */
  Rewind.Result rewind(long txg, Rewind.Mode mode) throws IOException {
    return Rewind.run(directory, txg, mode, environment());
  }

  /**
   * What is damaged of a commit that was {@link #remember remembered}: everything that it reaches
   * is read. The pool is open.
   */
  List<String> unreadable(long txg) throws IOException {
    Roots then = history.get(txg);
    List<String> findings = SpaceAudit.run(sources().withHistory(then.nodes(), then.directory()));
    return findings.stream().filter(f -> f.startsWith("space/unreadable")).toList();
  }

  /** What the device of a pool that is closed will do from each opening on. */
  public void setFaults(Consumer<FaultInjectingDevice> newFaults) {
    faults = newFaults;
  }

  /** Gives a pool that is closed another device. */
  void setDevice(FaultInjectingDevice newDevice) {
    devices.set(0, newDevice);
  }

  public Pool pool() {
    return pool;
  }

  /** The device as it is now; another one after each opening. Of a mirror, the main one. */
  public FaultInjectingDevice device() {
    return devices.get(main);
  }

  /** How often any device was synced since it was opened. */
  public long syncs() {
    return devices.stream().mapToLong(device -> device.count(Operation.SYNC)).sum();
  }

  // ---- a mirror

  /** Which device of a mirror is the main one from now on. */
  public void setMainDevice(int number) {
    main = number;
  }

  public FaultInjectingDevice device(int number) {
    return devices.get(number);
  }

  /** A hash of everything that all devices were asked for. */
  public long trace() {
    return devices.stream().mapToLong(FaultInjectingDevice::trace).reduce(0, (a, b) -> 31 * a + b);
  }

  /** Of the devices of a mirror; another one after each crash. */
  public PowerSupply power() {
    return power;
  }

  /** The name of a device of a mirror. */
  public String nameOf(int number) {
    Path place = places.get(number);
    return (place.equals(directory) ? file(number) : place).toString();
  }

  /** The numbers of those that are members now, ascending. */
  public List<Integer> members() {
    return pool.mirror().devices().stream().map(each -> numberOf(each.name())).sorted().toList();
  }

  private int numberOf(String name) {
    Path path = Path.of(name);
    return places.indexOf(path.startsWith(directory) ? directory : path);
  }

  public MemberState stateOf(int number) {
    return pool.mirror().devices().stream()
        .filter(each -> numberOf(each.name()) == number)
        .findFirst()
        .orElseThrow()
        .state();
  }

  /** Room for another device of a mirror, where nothing is yet; returns its number. */
  public int newPlace() throws IOException {
    int number = places.size();
    places.add(Files.createDirectory(directory.resolveSibling("device" + number)));
    devices.add(new FaultInjectingDevice(capacityBytes));
    return number;
  }

  /** It gets a copy of everything; what was destroyed is freed before. */
  public void attach(int number) throws IOException {
    freeDestroyed();
    pool.mirror().attach(newMember(number));
    pool.mirror().awaitResilver();
  }

  /** The same, and then the old one goes. */
  public void replace(int old, int number) throws IOException {
    freeDestroyed();
    pool.mirror().replace(nameOf(old), newMember(number));
    pool.mirror().awaitResilver();
  }

  private NewMember newMember(int number) {
    return new NewMember(places.get(number), NewDevice.Overwrite.REFUSE);
  }

  /** A device of a pool that is closed is not there any more. */
  public void takeAway(int number) throws IOException {
    Files.delete(file(number));
  }

  public boolean isThere(int number) {
    return Files.exists(file(number));
  }

  /** It is there again, as it was. */
  public void putBack(int number) throws IOException {
    Files.createFile(file(number));
  }

  /** Devices that are behind get what they have missed; what was destroyed is freed before. */
  public void resilver() throws IOException {
    freeDestroyed();
    pool.mirror().goOn();
    pool.mirror().awaitResilver();
  }

  /** The same of a device that was out of use. */
  public void online(int number) throws IOException {
    freeDestroyed();
    pool.mirror().online(nameOf(number));
    pool.mirror().awaitResilver();
  }

  // ----

  public FileSystem fileSystem() throws IOException {
    return pool.fileSystem(DATASET);
  }

  public void snapshot(String name) throws IOException {
    pool.administration().snapshot(DATASET, name, Scope.ONE);
  }

  /** The tree of a snapshot; it must stay. */
  public Tree tree(String snapshot) throws IOException {
    SpaceAudit.Sources now = pool.auditSources();
    for (NodeRecord node : now.nodes()) {
      if (node.kind() == NodeKind.SNAPSHOT && node.name().equals(snapshot)) {
        return new Tree(node.root().orElse(null), now.store()::readBlock);
      }
    }
    throw new IllegalArgumentException(snapshot);
  }

  /** What the last commit left. */
  public SpaceAudit.Sources sources() throws IOException {
    return pool.auditSources();
  }

  /** As {@link io.cowfs.core.scrub.Scrub} asks for it. */
  public long clonedRanges() {
    return pool.clonedRanges();
  }

  /** Drops what is cached of the device. */
  public void dropCaches() throws IOException {
    pool.auditSources().store().dropCaches();
  }

  /** Gives freed space back to the host, as it is done in the background now and then. */
  public void punchSome() throws IOException {
    pool.auditSources().allocator().punchSome(Long.MAX_VALUE);
  }

  /** What is wrong as of the last commit; nothing may be committed meanwhile. */
  public List<String> findings() {
    return pool.auditNow();
  }

  /** Commits, by a request that changes nothing. */
  public void commit() throws IOException {
    pool.administration().inheritProperty(DATASET, null, "user:none");
  }

  /** The root of a dataset's or a snapshot's tree as of the last commit. */
  public BlockPointer rootOf(String name) throws IOException {
    List<NodeRecord> nodes = pool.auditSources().nodes();
    int at = name.indexOf('@');
    int head = at < 0 ? 0 : node(nodes, 0, name.substring(0, at)).id();
    return node(nodes, head, name.substring(at + 1)).root().orElseThrow();
  }

  /**
   * @param dataset whose snapshot it is; 0 for a dataset
   */
  private static NodeRecord node(List<NodeRecord> nodes, int dataset, String name) {
    return nodes.stream()
        .filter(node -> node.name().equals(name))
        .filter(node -> node.kind() == NodeKind.HEAD ? dataset == 0 : node.dataset() == dataset)
        .findAny()
        .orElseThrow();
  }

  /** Flips a bit in each copy of something. */
  public void rot(Reference reference, int at, int bit) {
    reference.forEachPlace(
        (sector, sectors, birthTxg) ->
            device().flipBit(sector * BlockPointer.SECTOR_BYTES + at, bit));
  }

  /** Whether a block is in use, or freed and not reusable yet. */
  public boolean isAllocated(BlockPointer block) throws IOException {
    return isAllocated(block.sector(), block.sectors());
  }

  public boolean isAllocated(long sector, int sectors) throws IOException {
    return pool.auditSources().allocator().isAllocated(sector, sectors);
  }

  /** The tree of a dataset as of the last commit. */
  public Tree liveTree(String dataset) throws IOException {
    return new Tree(rootOf(dataset), pool.auditSources().store()::readBlock);
  }

  /** Damages the books: what somebody refers to is freed by the next commit. */
  public void freeWrongly(long sector, int sectors) throws IOException {
    pool.auditSources().allocator().free(sector, sectors, pool.status().txg() + 1);
  }

  /** Returns the name of the snapshot that keeps the state before. */
  public String rollback(String name) throws IOException {
    return pool.administration().rollback(DATASET, name);
  }

  /** Returns when its space is free: from then on nothing is committed of itself. */
  public void destroySnapshot(String name) throws IOException {
    mayBeFreeing = true;
    pool.administration().destroySnapshots(DATASET, name, Scope.ONE, Mode.EXECUTE);
    settle();
  }

  private void settle() throws IOException {
    freeDestroyed();
    mayBeFreeing = false;
  }

  private void freeDestroyed() throws IOException {
    while (pool.status().destroyingBytes() > 0) {
      commit();
    }
    // A list is removed in the commit after the one that freed the last of it.
    for (int i = 0; i < 3; i++) {
      commit();
    }
  }

  /** Closes and opens it. */
  public void reopen() throws IOException {
    close();
    open();
  }

  /** Closes a pool that can commit no more; the device keeps all that was written. */
  public void closeAfterFailure() {
    try {
      close();
    } catch (IOException expected) {
      // The last changes could not be committed.
    }
  }

  /** The power fails now: the device keeps what was synced and a part of what was not. */
  public void crash(Random random) {
    List<FaultInjectingDevice> survivors =
        devices.stream().map(device -> device.crash(random)).toList();
    closeAfterFailure();
    for (int i = 0; i < survivors.size(); i++) {
      devices.set(i, survivors.get(i));
    }
    power = new PowerSupply();
  }

  /** Keeps in mind what the last commit has reached; to be called when nothing commits. */
  public void remember() throws IOException {
    SpaceAudit.Sources now = pool.auditSources();
    history.put(pool.status().txg(), new Roots(now.nodes(), now.directoryRoot()));
  }

  /**
   * To be called between opening the pool and using it: all is well, and the two states before the
   * newest one are still whole, as far as they were {@link #remember remembered}.
   */
  public void auditAsFound() throws IOException {
    if (mayBeFreeing) {
      // Commits follow each other, so nothing stays as it was found.
      assertEquals(List.of(), pool.audit());
      return;
    }
    assertEquals(List.of(), pool.auditNow());
    SpaceAudit.Sources now = pool.auditSources();
    long txg = pool.status().txg();
    for (long older = txg - 1; older >= txg - 2; older--) {
      Roots then = history.get(older);
      if (then != null) {
        List<String> findings = SpaceAudit.run(now.withHistory(then.nodes(), then.directory()));
        findings.removeIf(
            finding ->
                !finding.startsWith("space/unreadable") && !finding.startsWith("space/copy"));
        assertEquals(List.of(), findings, "txg " + older + " before " + txg);
      }
    }
  }

  /** Every sector is in use exactly when something reaches it, and everything can be read. */
  public void audit() throws IOException {
    assertEquals(List.of(), pool.audit());
  }

  @Override
  public void close() throws IOException {
    if (pool != null) {
      Pool closing = pool;
      pool = null;
      closing.close();
    }
  }
}
