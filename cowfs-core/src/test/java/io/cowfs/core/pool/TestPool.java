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
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A pool whose device is in memory and fails on demand, and whose index is a real one. It can be
 * closed, cut off from its power, and opened again. Not thread-safe; what it gives out is.
 */
public final class TestPool implements AutoCloseable {
  /** Commits only when asked, or when much is dirty. */
  public static final DirtyLimit ON_DEMAND =
      new DirtyLimit(256L << 20, 64L << 20, 8L << 20, 100, 3_600_000);

  /** Commits only when asked. */
  private static final DirtyLimit ONLY_ON_DEMAND =
      new DirtyLimit(1L << 40, 1L << 40, 1L << 40, 100, 3_600_000);

  /** Commits all the time. */
  public static final DirtyLimit RESTLESS = new DirtyLimit(8L << 20, 1L << 20, 8L << 20, 100, 1);

  private static final String DATASET = "root";

  /** Enough for anything that is done in the background: then something hangs. */
  private static final Duration BACKGROUND_TIME = Duration.ofMinutes(5);

  private static final int INDEX_MARGIN_BYTES = 256 << 10;

  private final Path directory;
  private final DirtyLimit limit;
  private final Map<Long, Roots> history = new HashMap<>();
  private FaultInjectingDevice device;
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

  private TestPool(Path directory, FaultInjectingDevice device, DirtyLimit limit) {
    this.directory = directory;
    this.device = device;
    this.limit = limit;
  }

  /** A new pool, open. */
  public static TestPool create(
      Path directory, long capacityBytes, CompressionSetting compression, DirtyLimit limit)
      throws IOException {
    TestPool made = new TestPool(directory, new FaultInjectingDevice(capacityBytes), limit);
    made.createAndOpen(capacityBytes, compression);
    return made;
  }

  /**
   * The same, but each run of it is the same as the others, when its client is one thread.
   *
   * @param seed of the pool's id
   */
  public static TestPool createRepeatable(
      Path directory, long capacityBytes, Clock clock, long seed) throws IOException {
    TestPool made =
        new TestPool(directory, new FaultInjectingDevice(capacityBytes), ONLY_ON_DEMAND);
    made.clock = clock;
    made.execution = RepeatableExecution.of(seed, made::keepRound);
    made.createAndOpen(capacityBytes, CompressionSetting.NONE);
    return made;
  }

  /** A pool that is closed, to be put back. */
  public record Saved(FaultInjectingDevice device, byte[] index) {}

  /** Of a pool that is closed. */
  public Saved save() throws IOException {
    byte[] index = Files.readAllBytes(indexFile());
    int end = index.length;
    while (end > 0 && index[end - 1] == 0) {
      end--;
    }
    // Pages at the end of what is in use may be zeros.
    return new Saved(device.reopen(), Arrays.copyOf(index, end + INDEX_MARGIN_BYTES));
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
    device = saved.device.reopen();
    history.clear();
  }

  private Path indexFile() {
    return directory.resolve("index").resolve("data.mdb");
  }

  private void createAndOpen(long capacityBytes, CompressionSetting compression)
      throws IOException {
    Pool.create(directory, new Pool.CreateOptions(capacityBytes, compression, null), environment());
    device = device.reopen();
    open();
  }

  /** What the pool does again and again is done when the test says so. */
  private Environment.Ending keepRound(
      String name, Supplier<Duration> untilNext, Runnable newRound) {
    round = newRound;
    return () -> round = null;
  }

  private Environment environment() {
    return new Environment(new MemoryDevices(), limit, CacheLimits.DEFAULT, clock, execution);
  }

  /** The one device in memory, whoever opens it. */
  private final class MemoryDevices implements Environment.Devices {
    @Override
    public BlockDevice create(Path file, long capacityBytes) throws IOException {
      Files.createFile(file);
      return open(file, capacityBytes);
    }

    @Override
    public BlockDevice open(Path file, long capacityBytes) {
      device = device.reopen();
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
    device = newDevice;
  }

  public Pool pool() {
    return pool;
  }

  /** The device as it is now; another one after each opening. */
  public FaultInjectingDevice device() {
    return device;
  }

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
            device.flipBit(sector * BlockPointer.SECTOR_BYTES + at, bit));
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
    while (pool.status().destroyingBytes() > 0) {
      commit();
    }
    // A list is removed in the commit after the one that freed the last of it.
    for (int i = 0; i < 3; i++) {
      commit();
    }
    mayBeFreeing = false;
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
    FaultInjectingDevice survivor = device.crash(random);
    closeAfterFailure();
    device = survivor;
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
