package io.cowfs.core.pool;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.core.pool.PoolAdministration.Mode;
import io.cowfs.core.pool.PoolAdministration.Scope;
import io.cowfs.core.scrub.ScrubStatus;
import io.cowfs.core.txg.DirtyLimit;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The clock of the machine is set back while a pool is in use, by hours, or to 1970 as after an
 * empty battery: nothing is lost, nothing goes that was to be kept, and the pool goes on.
 */
final class ClockSetBackTest {
  private static final String ROOT = "root";
  private static final long CAPACITY_BYTES = 64L << 20;
  private static final Duration HOUR_BACK = Duration.ofHours(-1);

  private static final Map<String, Integer> COUNTS = Map.of("minutely", 4, "hourly", 3, "daily", 2);

  @TempDir private Path directory;
  private final TurnedClock clock = new TurnedClock();
  private TestPool pool;

  private void open(DirtyLimit limit) throws IOException {
    pool = TestPool.create(directory, CAPACITY_BYTES, CompressionSetting.NONE, limit);
    pool.setClock(clock);
    reopen();
  }

  private void reopen() throws IOException {
    pool.reopen();
    pool.pool().startHousekeeping(() -> {});
  }

  @AfterEach
  void close() throws IOException {
    pool.audit();
    pool.close();
  }

  /** How many are kept, and which ones, is the same as if the clock had always been right. */
  @Test
  void schedulesKeepTheNewestOfEachPeriod() throws Exception {
    open(TestPool.ON_DEMAND);
    long seed = Long.getLong("cowfs.test.seed", System.nanoTime());
    System.out.println("schedulesKeepTheNewestOfEachPeriod: seed " + seed);
    Random random = new Random(seed);
    PoolAdministration administration = pool.pool().administration();
    administration.setProperties(
        ROOT, null, Map.of("snapshot.schedule", "minutely:4 hourly:3 daily:2"));
    administration.snapshot(ROOT, "mine", Scope.ONE);
    List<String> taken = new ArrayList<>();
    List<String> before = List.of();
    for (int step = 0; step < 150; step++) {
      write("f", step);
      pool.pool().sync();
      administration.prune(Mode.EXECUTE);
      pool.pool().tidyCheckpoints();
      List<String> there = scheduled();
      // One that has gone may be taken again, by the same name in the same second.
      there.stream().filter(Predicate.not(before::contains)).forEach(taken::add);
      before = there;
      String when = "seed " + seed + ", step " + step;
      assertEquals(newest(taken), there, when);
      assertEquals(NodeKind.SNAPSHOT, info("mine").kind(), when);
      turnSomehow(random);
    }
    reopen();
    assertEquals(newest(taken), scheduled(), "seed " + seed);
    assertTrue(taken.size() > 20, "seed " + seed + ": " + taken);
    assertEquals(149, read("f"));
  }

  private void turnSomehow(Random random) {
    switch (random.nextInt(10)) {
      case 0 -> clock.turn(Duration.ofMinutes(-random.nextInt(10 * 60)));
      case 1 -> clock.turn(Duration.ofDays(-random.nextInt(3)).minusMinutes(1));
      case 2 -> clock.turn(Duration.ofHours(random.nextInt(30)));
      default -> clock.turn(Duration.ofSeconds(1 + random.nextInt(2_000)));
    }
  }

  /** Of each period as many as are to be kept. */
  private static List<String> newest(List<String> taken) {
    List<String> kept = new ArrayList<>();
    for (int i = 0; i < taken.size(); i++) {
      String period = period(taken.get(i));
      long newer =
          taken.subList(i + 1, taken.size()).stream().filter(n -> period(n).equals(period)).count();
      if (newer < COUNTS.get(period)) {
        kept.add(taken.get(i));
      }
    }
    return kept;
  }

  private static String period(String snapshot) {
    return snapshot.split("-", -1)[1];
  }

  /** From old to new, with their times: a name may be there again after another one has gone. */
  private List<String> scheduled() {
    return new ArrayList<>(
        pool.pool().list().stream()
            .filter(info -> info.snapshot().startsWith("auto-"))
            .map(info -> info.snapshot() + " " + info.created())
            .toList());
  }

  @Test
  void checkpointsOfBeforeStayAndNewOnesAreTaken() throws Exception {
    open(TestPool.ON_DEMAND);
    for (int i = 0; i < 10; i++) {
      write("f", i);
      pool.pool().sync();
      clock.turn(Duration.ofSeconds(5));
    }
    List<String> before = checkpoints();
    assertEquals(10, before.size());
    clock.turn(Duration.ofHours(-5));
    for (int i = 10; i < 20; i++) {
      write("f", i);
      pool.pool().sync();
      pool.pool().tidyCheckpoints();
      clock.turn(Duration.ofSeconds(5));
    }
    List<String> now = checkpoints();
    assertEquals(before, now.subList(0, 10));
    assertEquals(20, now.size());
  }

  /** They are still bounded in number, and the oldest go first. */
  @Test
  void checkpointsOfBeforeLeaveWhenThereAreTooMany() throws Exception {
    open(TestPool.ON_DEMAND);
    pool.pool().administration().setProperties(ROOT, null, Map.of("checkpoints", "1s:10s"));
    List<String> taken = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      write("f", i);
      pool.pool().sync();
      checkpoints().stream().filter(name -> !taken.contains(name)).forEach(taken::add);
      clock.turn(i % 10 == 9 ? Duration.ofHours(-3) : Duration.ofSeconds(1));
    }
    assertEquals(40, taken.size());
    assertEquals(taken.subList(29, 40), checkpoints());
  }

  @Test
  void undoGoesBackToWhatWasThereMinutesAgo() throws Exception {
    open(TestPool.ON_DEMAND);
    for (int hour = 0; hour < 4; hour++) {
      write("f", hour);
      pool.pool().administration().snapshot(ROOT, "hour" + hour, Scope.ONE);
      clock.turn(Duration.ofHours(1));
    }
    clock.turn(Duration.ofHours(-3).minusMinutes(30));
    for (int minute = 0; minute < 10; minute++) {
      write("f", 100 + minute);
      pool.pool().administration().snapshot(ROOT, "minute" + minute, Scope.ONE);
      clock.turn(Duration.ofMinutes(1));
    }
    assertEquals(
        "minute5", pool.pool().administration().snapshotOfAge(ROOT, Duration.ofMinutes(5)));
  }

  @Test
  void theNewestCommitIsTheNewestWhateverTheClockSaid() throws Exception {
    open(TestPool.ON_DEMAND);
    for (int i = 0; i < 6; i++) {
      write("f", i);
      pool.pool().sync();
      clock.turn(i == 3 ? Duration.between(clock.instant(), Instant.EPOCH) : HOUR_BACK);
    }
    reopen();
    assertEquals(5, read("f"));
    pool.close();
    Files.delete(directory.resolve("index/data.mdb"));
    pool.rebuildIndex();
    pool.open();
    assertEquals(5, read("f"));
  }

  /** Nobody asks for it. */
  @Test
  @Timeout(60)
  void commitsGoOnByThemselves() throws Exception {
    open(TestPool.RESTLESS);
    for (int i = 0; i < 5; i++) {
      clock.turn(Duration.ofHours(-20));
      write("f", i);
      long txg = pool.pool().status().txg();
      while (pool.pool().status().txg() <= txg + 1) {
        write("g", i);
        Thread.sleep(1);
      }
    }
    pool.crash(new Random(1));
    pool.open();
    assertTrue(read("f") >= 3, "of what was committed");
  }

  @Test
  void aScrubGoesOnOverIt() throws Exception {
    open(TestPool.ON_DEMAND);
    write("f", 1);
    pool.pool().sync();
    pool.pool().scrub().start();
    clock.turn(Duration.ofHours(-7));
    reopen();
    ScrubStatus status = pool.pool().scrub().await(Duration.ofMinutes(1));
    assertEquals(ScrubStatus.State.FINISHED, status.state(), status.toString());
    clock.turn(HOUR_BACK);
    pool.pool().scrub().start();
    status = pool.pool().scrub().await(Duration.ofMinutes(1));
    assertEquals(ScrubStatus.State.FINISHED, status.state(), status.toString());
    reopen();
    assertEquals(ScrubStatus.State.FINISHED, pool.pool().scrub().status().state());
  }

  private void write(String name, int value) throws Exception {
    FileSystem fs = pool.fileSystem();
    byte[] bytes = name.getBytes(US_ASCII);
    FileHandle handle;
    try {
      long inode = fs.lookup(FileSystem.ROOT_INODE, bytes).inode();
      handle = fs.open(inode, Set.of(OpenFlags.WRITE));
      fs.forget(inode, 1);
    } catch (FsException absent) {
      FileSystem.Created created =
          fs.create(Caller.ROOT, FileSystem.ROOT_INODE, bytes, 0644, Set.of(OpenFlags.WRITE));
      handle = created.handle();
      fs.forget(created.attributes().inode(), 1);
    }
    byte[] text = Integer.toString(value).getBytes(US_ASCII);
    fs.write(Caller.ROOT, handle, 0, ByteBuffer.wrap(text), false);
    fs.release(handle);
  }

  private int read(String name) throws Exception {
    FileSystem fs = pool.fileSystem();
    long inode = fs.lookup(FileSystem.ROOT_INODE, name.getBytes(US_ASCII)).inode();
    FileHandle handle = fs.open(inode, Set.of(OpenFlags.READ));
    ByteBuffer data = ByteBuffer.allocate(100);
    fs.read(handle, 0, 100, data);
    fs.release(handle);
    fs.forget(inode, 1);
    return Integer.parseInt(new String(data.array(), 0, data.position(), US_ASCII));
  }

  private List<String> checkpoints() {
    return pool.pool().list().stream()
        .filter(info -> info.kind() == NodeKind.CHECKPOINT)
        .map(DatasetInfo::snapshot)
        .toList();
  }

  private DatasetInfo info(String snapshot) {
    return pool.pool().list().stream()
        .filter(info -> info.snapshot().equals(snapshot))
        .findAny()
        .orElseThrow();
  }
}
