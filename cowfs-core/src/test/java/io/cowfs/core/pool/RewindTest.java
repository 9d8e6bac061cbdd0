package io.cowfs.core.pool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.device.FaultInjectingDevice;
import io.cowfs.core.device.FaultInjectingDevice.Fault;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import io.cowfs.core.pool.Rewind.Difference;
import io.cowfs.core.pool.Rewind.Fate;
import io.cowfs.core.pool.Rewind.Mode;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.XattrMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A pool goes back to an older commit of the ring entirely, or stays what it is. */
final class RewindTest {
  private static final int SECTOR_BYTES = 4096;
  private static final int RING_SLOTS = 128;
  private static final int READS_APART = Boolean.getBoolean("cowfs.soak") ? 1 : 9;
  private static final int FULL_FILES = 20;
  private static final int ATTRIBUTES = 100;
  private static final int RUNS = Boolean.getBoolean("cowfs.soak") ? 100 : 2;

  @TempDir private Path directory;
  private TestPool pool;

  /** The seeds of the contents of all files, by txg. */
  private final TreeMap<Long, Map<String, Long>> commits = new TreeMap<>();

  private final Map<String, Long> files = new HashMap<>();

  @AfterEach
  void close() throws Exception {
    pool.close();
  }

  private void create(CompressionSetting compression) throws IOException {
    pool = TestPool.create(directory, 64L << 20, compression, TestPool.ON_DEMAND);
  }

  /** Files "a" to "e", each with a commit of its own; a snapshot after each. Closed. */
  private long[] fiveCommits() throws Exception {
    create(CompressionSetting.NONE);
    long[] txgs = new long[5];
    for (int i = 0; i < 5; i++) {
      String name = String.valueOf((char) ('a' + i));
      write(name, i);
      pool.snapshot("after-" + name);
      txgs[i] = remember();
    }
    pool.close();
    return txgs;
  }

  @Test
  void theWholePoolIsWhatItWas() throws Exception {
    long[] txgs = fiveCommits();
    long newest = commits.lastKey();
    byte[] old = Files.readAllBytes(index());
    Rewind.Result result = pool.rewind(txgs[2], Mode.EXECUTE);
    assertEquals(txgs[2], result.to().txg());
    assertEquals(newest, result.from().txg());
    assertEquals(
        List.of(
            new Difference(Fate.CHANGED, "root"),
            new Difference(Fate.LOST, "root@after-d"),
            new Difference(Fate.LOST, "root@after-e")),
        result.differences().orElseThrow());
    assertArrayEquals(old, Files.readAllBytes(result.keptIndex()));

    pool.open();
    assertEquals(newest + 1, pool.pool().status().txg(), "above all that was ever used");
    assertEquals(List.of(), pool.pool().auditNow());
    requireFiles(commits.get(txgs[2]));
    files.clear();
    files.putAll(commits.get(txgs[2]));
    goOn();
  }

  /** A lost index comes back as what the pool was brought back to, not as what was given up. */
  @Test
  void noRecoveryTakesWhatWasGivenUp() throws Exception {
    long[] txgs = fiveCommits();
    pool.rewind(txgs[1], Mode.EXECUTE);
    Files.delete(index());
    IndexRecovery.Result recovered = pool.rebuildIndex();
    assertEquals(List.of(), recovered.passedOver());
    pool.open();
    requireFiles(commits.get(txgs[1]));

    // Nor does it when the record of the next commit is damaged, too.
    write("next", 9);
    long next = pool.pool().status().txg();
    pool.close();
    Files.delete(index());
    pool.device().flipBit((2 + next % RING_SLOTS) * SECTOR_BYTES + 30, 1);
    assertEquals(1, pool.rebuildIndex().passedOver().size());
    pool.open();
    assertEquals(List.of(), pool.pool().auditNow());
    requireFiles(commits.get(txgs[1]));
  }

  @Test
  void recordsOfWhatWasGivenUpComeLast() throws Exception {
    long[] txgs = fiveCommits();
    pool.rewind(txgs[1], Mode.EXECUTE);
    pool.open();
    write("next", 9);
    long next = pool.pool().status().txg();
    BlockPointer root = pool.pool().auditSources().directoryRoot();
    pool.close();
    Files.delete(index());
    // The newest directory is lost, and the record of the commit before, which tells that others
    // were given up, is not.
    pool.rot(root, 100, 1);
    IndexRecovery.Result recovered = pool.rebuildIndex();
    assertEquals(next - 1, recovered.txg());
    pool.open();
    requireFiles(commits.get(txgs[1]));
  }

  @Test
  void itCanBeUndoneWhileNothingWasWritten() throws Exception {
    long[] txgs = fiveCommits();
    long newest = commits.lastKey();
    pool.rewind(txgs[0], Mode.EXECUTE);
    pool.rewind(newest, Mode.EXECUTE);
    pool.open();
    assertEquals(newest + 2, pool.pool().status().txg());
    assertEquals(List.of(), pool.pool().auditNow());
    requireFiles(commits.get(newest));
    goOn();
  }

  @Test
  void aDryRunChangesNothing() throws Exception {
    long[] txgs = fiveCommits();
    byte[] old = Files.readAllBytes(index());
    Rewind.Result result = pool.rewind(txgs[3], Mode.DRY_RUN);
    assertNull(result.keptIndex());
    assertEquals(
        List.of(new Difference(Fate.CHANGED, "root"), new Difference(Fate.LOST, "root@after-e")),
        result.differences().orElseThrow());
    assertEquals(0, pool.device().count(Operation.WRITE));
    assertArrayEquals(old, Files.readAllBytes(index()));
    pool.open();
    requireFiles(commits.lastEntry().getValue());
  }

  @Test
  void wrongCommitsAreRefused() throws Exception {
    fiveCommits();
    long newest = commits.lastKey();
    requireRefused(newest, "is the newest one");
    requireRefused(newest + 1, "there is no root record of commit " + (newest + 1));
    requireRefused(-1, "there is no root record of commit -1");
    pool.open();
    assertThrows(PoolBusyException.class, () -> pool.rewind(newest - 1, Mode.EXECUTE));
    assertThrows(PoolBusyException.class, () -> pool.rootRecords());
  }

  /** The newest state is damaged: that is what going back is for. */
  @Test
  void aDamagedStateIsLeft() throws Exception {
    long[] txgs = fiveCommits();
    pool.open();
    BlockPointer root = pool.rootOf("root");
    pool.close();
    pool.rot(root, 200, 3);
    Map<Long, Optional<String>> damages = damages();
    assertTrue(damages.get(commits.lastKey()).orElseThrow().contains("sector " + root.sector()));
    assertEquals(Optional.empty(), damages.get(txgs[3]));
    pool.rewind(txgs[3], Mode.EXECUTE);
    pool.open();
    assertEquals(List.of(), pool.pool().auditNow());
    requireFiles(commits.get(txgs[3]));
    files.clear();
    files.putAll(commits.get(txgs[3]));
    goOn();
  }

  /** What every commit has is damaged: it can be gone to none of them. */
  @Test
  void aDamagedNodeIsRefused() throws Exception {
    long[] txgs = fiveCommits();
    pool.open();
    BlockPointer root = pool.tree("after-a").root();
    pool.close();
    pool.rot(root, 200, 3);
    requireRefused(txgs[1], "sector " + root.sector());
    Map<Long, Optional<String>> damages = damages();
    for (long txg : txgs) {
      assertTrue(damages.get(txg).isPresent(), () -> "commit " + txg);
    }
  }

  /** At each write and sync, and at each read before them. */
  @Test
  void aCrashAnywhereLeavesOneOfTheTwoStates() throws Exception {
    long[] txgs = fiveCommits();
    long newest = commits.lastKey();
    byte[] index = Files.readAllBytes(index());
    FaultInjectingDevice before = pool.device();
    Set<Long> seen = new HashSet<>();
    for (Operation operation : List.of(Operation.READ, Operation.WRITE, Operation.SYNC)) {
      boolean isRead = operation == Operation.READ;
      boolean failed = true;
      for (int nth = 1; failed; nth += isRead ? READS_APART : 1) {
        failed = false;
        long at = nth;
        Files.write(index(), index);
        pool.setDevice(before);
        pool.setFaults(device -> device.failFrom(operation, at, Fault.IO_ERROR));
        try {
          pool.rewind(txgs[1], Mode.EXECUTE);
        } catch (IOException expected) {
          failed = true;
        }
        FaultInjectingDevice cutOff = pool.device();
        pool.setFaults(device -> {});
        byte[] left = Files.readAllBytes(index());
        for (int seed = 0; seed < (isRead ? 1 : 4); seed++) {
          Files.write(index(), left);
          pool.setDevice(cutOff.crash(new Random(seed)));
          pool.open();
          long txg = pool.pool().status().txg();
          assertEquals(List.of(), pool.pool().auditNow());
          requireFiles(commits.get(txg == newest + 1 ? txgs[1] : newest));
          seen.add(txg);
          assertTrue(failed || txg == newest + 1, "it is done");
          pool.close();
        }
      }
    }
    assertEquals(Set.of(newest, newest + 1), seen);
  }

  /** What a crash leaves of an index that was not finished is in nobody's way. */
  @Test
  void anUnfinishedIndexIsReplaced() throws Exception {
    long[] txgs = fiveCommits();
    Path unfinished = Files.createDirectory(directory.resolve("index.new"));
    Files.write(unfinished.resolve("data.mdb"), new byte[50_000]);
    pool.open();
    requireFiles(commits.lastEntry().getValue());
    pool.close();
    pool.rewind(txgs[1], Mode.EXECUTE);
    assertFalse(Files.exists(unfinished));
    pool.open();
    requireFiles(commits.get(txgs[1]));
  }

  static LongStream seeds() {
    Long seed = Long.getLong("cowfs.test.seed");
    return seed != null
        ? LongStream.of(seed)
        : LongStream.concat(
            LongStream.rangeClosed(1, RUNS - 1), LongStream.of(new Random().nextLong() >>> 16));
  }

  /**
   * A small pool, so that space is used again. Which commits are said to be whole is compared with
   * what an audit of all that they reach says.
   */
  @ParameterizedTest
  @MethodSource("seeds")
  void whatIsSaidToBeWholeIsWholeAndNothingElse(long seed) throws Exception {
    Random random = new Random(seed);
    try {
      pool =
          TestPool.create(
              directory,
              28L << 20,
              random.nextBoolean() ? CompressionSetting.NONE : CompressionSetting.LZ4,
              TestPool.ON_DEMAND);
      fillTree(random);
      int overwritten = 0;
      for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 40; i++) {
          change(random);
          remember();
          if (random.nextInt(20) == 0) {
            pool.reopen();
          }
        }
        overwritten += compareAndGoBack(random);
      }
      assertTrue(overwritten > 0, "some were overwritten");
    } catch (AssertionError | IOException | RuntimeException e) {
      throw new AssertionError("-Dcowfs.test.seed=" + seed, e);
    }
  }

  /** Three levels of nodes: attributes fill leaves. */
  private void fillTree(Random random) throws Exception {
    for (int i = 0; i < FULL_FILES; i++) {
      write("full" + i, i);
      for (int k = 0; k < ATTRIBUTES; k++) {
        setAttribute(i, k, random);
      }
    }
    pool.pool().sync();
    assertTrue(pool.liveTree("root").rootLevel() >= 2);
  }

  private void setAttribute(int file, int attribute, Random random) throws Exception {
    FileSystem target = pool.fileSystem();
    byte[] name = ("full" + file).getBytes(UTF_8);
    long inode = target.lookup(FileSystem.ROOT_INODE, name).inode();
    byte[] value = new byte[2_900];
    random.nextBytes(value);
    target.setXattr(
        inode, ("user.a" + attribute).getBytes(UTF_8), value, XattrMode.CREATE_OR_REPLACE);
    target.forget(inode, 1);
  }

  /** Returns how many commits were overwritten. */
  private int compareAndGoBack(Random random) throws Exception {
    pool.close();
    FaultInjectingDevice device = pool.device();
    byte[] index = Files.readAllBytes(index());
    Map<Long, Optional<String>> damages = damages();
    // What is free must stay as it was found.
    pool.setFaults(opened -> opened.failFrom(Operation.PUNCH, 1, Fault.IO_ERROR));
    pool.open();
    int overwritten = 0;
    List<Long> whole = new ArrayList<>();
    for (long txg : commits.keySet()) {
      if (damages.containsKey(txg)) {
        List<String> findings = pool.unreadable(txg);
        assertEquals(findings.isEmpty(), damages.get(txg).isEmpty(), () -> txg + ": " + findings);
        if (findings.isEmpty()) {
          whole.add(txg);
        } else {
          overwritten++;
        }
      }
    }
    pool.close();
    pool.setFaults(opened -> {});
    long newest = whole.remove(whole.size() - 1);
    if (whole.isEmpty()) {
      pool.open();
      return overwritten;
    }
    long to = whole.get(random.nextInt(whole.size()));
    Files.write(index(), index);
    pool.setDevice(device);
    for (long txg : damages.keySet()) {
      if (damages.get(txg).isPresent()) {
        assertThrows(IOException.class, () -> pool.rewind(txg, Mode.EXECUTE));
        break;
      }
    }
    pool.rewind(to, Mode.EXECUTE);
    pool.open();
    // One copy of something may have been overwritten since.
    List<String> findings = new ArrayList<>(pool.pool().auditNow());
    findings.removeIf(finding -> finding.startsWith("space/copy: "));
    assertEquals(List.of(), findings);
    assertTrue(pool.pool().status().txg() > newest);
    requireFiles(commits.get(to));
    pool.pool().scrub().start();
    assertEquals(List.of(), pool.pool().scrub().await(Duration.ofMinutes(1)).findings());
    assertEquals(List.of(), pool.pool().auditNow());
    files.clear();
    files.putAll(commits.get(to));
    return overwritten;
  }

  private void change(Random random) throws Exception {
    String name = "file" + random.nextInt(12);
    switch (random.nextInt(7)) {
      case 0 -> {
        if (files.remove(name) != null) {
          pool.fileSystem().unlink(FileSystem.ROOT_INODE, name.getBytes(UTF_8));
        }
      }
      case 1 -> {
        if (pool.pool().list().size() < 6) {
          pool.snapshot("s" + random.nextInt(1_000_000));
        } else {
          pool.destroySnapshot(pool.pool().list().get(1).snapshot());
        }
      }
      case 2 -> setAttribute(random.nextInt(FULL_FILES), random.nextInt(ATTRIBUTES), random);
      default -> write(name, random.nextLong());
    }
  }

  /** Commits. */
  private long remember() throws Exception {
    pool.pool().sync();
    pool.remember();
    long txg = pool.pool().status().txg();
    commits.put(txg, Map.copyOf(files));
    return txg;
  }

  private Map<Long, Optional<String>> damages() throws IOException {
    Map<Long, Optional<String>> damages = new TreeMap<>();
    pool.rootRecords().forEach(commit -> damages.put(commit.txg(), commit.damage()));
    return damages;
  }

  private void requireRefused(long txg, String what) throws IOException {
    byte[] old = Files.readAllBytes(index());
    IOException refused =
        assertThrows(DamagedPoolException.class, () -> pool.rewind(txg, Mode.EXECUTE));
    assertTrue(refused.getMessage().contains(what), refused.getMessage());
    assertEquals(0, pool.device().count(Operation.WRITE));
    assertArrayEquals(old, Files.readAllBytes(index()));
  }

  /** It can be written to, and opened again. */
  private void goOn() throws Exception {
    write("later", 77);
    pool.snapshot("later");
    pool.audit();
    pool.reopen();
    assertEquals(List.of(), pool.pool().auditNow());
    requireFiles(files);
  }

  private Path index() {
    return directory.resolve("index/data.mdb");
  }

  private static byte[] content(long seed) {
    Random random = new Random(seed);
    byte[] content = new byte[1 + random.nextInt(200_000)];
    random.nextBytes(content);
    return content;
  }

  private void write(String name, long seed) throws Exception {
    FileSystem target = pool.fileSystem();
    byte[] bytes = name.getBytes(UTF_8);
    if (files.containsKey(name)) {
      target.unlink(FileSystem.ROOT_INODE, bytes);
    }
    FileSystem.Created created =
        target.create(Caller.ROOT, FileSystem.ROOT_INODE, bytes, 0644, Set.of());
    FileHandle file = created.handle();
    target.write(Caller.ROOT, file, 0, ByteBuffer.wrap(content(seed)), false);
    target.release(file);
    target.forget(created.attributes().inode(), 1);
    files.put(name, seed);
    pool.pool().sync();
  }

  private void requireFiles(Map<String, Long> expected) throws Exception {
    FileSystem actual = pool.fileSystem();
    Set<String> names = new HashSet<>(files.keySet());
    commits.values().forEach(commit -> names.addAll(commit.keySet()));
    for (String name : names) {
      byte[] bytes = name.getBytes(UTF_8);
      if (!expected.containsKey(name)) {
        assertThrows(FsException.class, () -> actual.lookup(FileSystem.ROOT_INODE, bytes), name);
        continue;
      }
      long inode = actual.lookup(FileSystem.ROOT_INODE, bytes).inode();
      byte[] content = content(expected.get(name));
      FileHandle file = actual.open(inode, Set.of());
      ByteBuffer read = ByteBuffer.allocate(content.length + 1);
      assertEquals(content.length, actual.read(file, 0, content.length + 1, read), name);
      assertArrayEquals(content, Arrays.copyOf(read.array(), content.length), name);
      actual.release(file);
      actual.forget(inode, 1);
    }
  }
}
