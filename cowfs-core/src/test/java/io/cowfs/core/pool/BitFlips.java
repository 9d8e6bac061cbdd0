package io.cowfs.core.pool;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import java.io.IOException;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Flips one bit of a pool after the other, and reads everything that the pool then has. A process
 * of its own, because a damaged index that LMDB does not notice ends the process. It says what it
 * is about to flip before it does, and a line for each region at the end.
 *
 * <p>Either some bits that a seed chooses, more of them where most bytes mean something; or all
 * bits, in an order that is spread over the whole pool, from a position on.
 */
final class BitFlips {
  private static final int SECTOR_BYTES = 4096;
  private static final int RING_FIRST_SECTOR = 2;
  private static final int DATA_FIRST_SECTOR = 130;

  /** What of a root record, and of a page of the index, is not always zero. */
  private static final int RECORD_BYTES = 512;

  /** Nodes are compressed to less than their sectors. */
  private static final int NODE_BYTES = 1024;

  private static final int META_BYTES = 160;
  private static final int PAGE_START_BYTES = 64;

  /** One of so many flips of the index that do no harm is also tried with the pool in use. */
  private static final int USED_ONE_OF = 40;

  /**
   * After one of so many flips, the pool is opened and read whole. After the others, it stays open
   * where only trees and files are flipped, and an index that says what it said is not followed.
   */
  private static final int WHOLE_ONE_OF = 10;

  /** Flips are done in batches: those for which the pool stays open, and then the others. */
  private static final int BATCH = 5_000;

  /** Positions that follow each other are so many bits apart: a prime. */
  private static final long STRIDE = 1_000_003;

  /** Held, so that its level lasts: each damage is logged. */
  private static final Logger LOG = Logger.getLogger("io.cowfs");

  /** The parts of a pool, and how many of a hundred flips are in each. */
  enum Region {
    LABEL(4),
    RING(12),
    NODES(24),
    EXTENTS(20),
    INDEX_META(14),
    INDEX_PAGES(26);

    private final int share;

    Region(int share) {
      this.share = share;
    }

    boolean isIndex() {
      return this == INDEX_META || this == INDEX_PAGES;
    }

    /** Nothing of it is read when a pool is opened, or little. */
    boolean isReadLater() {
      return this == NODES || this == EXTENTS;
    }
  }

  /**
   * One of them.
   *
   * @param offset in the file
   */
  private record Flip(Region region, long offset, int bit) {}

  private enum Outcome {
    DETECTED,
    HARMLESS
  }

  private final Path pool;
  private final Path copy;
  private final Random random;
  private final PrintStream out;
  private final PoolContent good;
  private final List<NodeRecord> goodNodes;
  private final Map<Region, List<Long>> sectors = new EnumMap<>(Region.class);
  private final Map<Region, int[]> tally = new EnumMap<>(Region.class);

  private BitFlips(Path directory, long seed, PrintStream out) throws IOException {
    this.pool = directory.resolve("pool");
    this.copy = directory.resolve("copy");
    this.random = new Random(seed);
    this.out = out;
    for (Region region : Region.values()) {
      sectors.put(region, new ArrayList<>());
      tally.put(region, new int[Outcome.values().length]);
    }
    try (Pool opened = Pool.openToCheck(pool)) {
      good = PoolContent.read(opened);
      goodNodes = opened.auditSources().nodes();
      SamplePool.Places places = SamplePool.places(opened);
      addAll(Region.NODES, places.nodes());
      addAll(Region.EXTENTS, places.extents());
    }
    addRange(Region.LABEL, 0, RING_FIRST_SECTOR);
    addRange(Region.RING, RING_FIRST_SECTOR, DATA_FIRST_SECTOR);
    addRange(Region.INDEX_META, 0, 2);
    addRange(Region.INDEX_PAGES, 2, usedPages());
  }

  private void addAll(Region region, BitSet all) {
    all.stream().forEach(sector -> sectors.get(region).add((long) sector));
  }

  private void addRange(Region region, long first, long end) {
    for (long sector = first; sector < end; sector++) {
      sectors.get(region).add(sector);
    }
  }

  /** LMDB does not look at the rest, and keeps space for commits there. */
  private long usedPages() throws IOException {
    byte[] index = Files.readAllBytes(file(Region.INDEX_PAGES));
    int used = index.length;
    while (used > 0 && index[used - 1] == 0) {
      used--;
    }
    return (used + SECTOR_BYTES - 1) / SECTOR_BYTES;
  }

  /**
   * Arguments: directory with the pool; "some" or "all"; the seed, or the position to begin at; the
   * number of flips.
   */
  public static void main(String[] arguments) throws Exception {
    LOG.setLevel(Level.OFF);
    PrintStream out = new PrintStream(System.out, true, UTF_8);
    long first = Long.parseLong(arguments[2]);
    BitFlips flips = new BitFlips(Path.of(arguments[0]), first, out);
    long count = Long.parseLong(arguments[3]);
    if (arguments[1].equals("all")) {
      flips.runAll(first, count);
    } else {
      flips.runSome(count);
    }
    flips.report();
  }

  private void runSome(long count) throws IOException, FsException {
    for (long done = 0; done < count; done += BATCH) {
      List<Flip> batch = new ArrayList<>();
      for (long i = done; i < Math.min(count, done + BATCH); i++) {
        Region region = region();
        batch.add(new Flip(region, offset(region), random.nextInt(8)));
      }
      run(batch);
    }
  }

  private void runAll(long first, long count) throws IOException, FsException {
    long total = sectors.values().stream().mapToLong(List::size).sum() * SECTOR_BYTES * 8;
    if (total % STRIDE == 0) {
      throw new AssertionError(total + " bits are a multiple of the stride");
    }
    long end = Math.min(total, first + count);
    for (long position = first; position < end; position += BATCH) {
      out.printf("position %d of %d%n", position, total);
      List<Flip> batch = new ArrayList<>();
      for (long i = position; i < Math.min(end, position + BATCH); i++) {
        batch.add(flipAt(i * STRIDE % total));
      }
      run(batch);
    }
    out.printf("position %d of %d%n", end, total);
  }

  /** Bits are counted through the sectors of one region after the other. */
  private Flip flipAt(long index) {
    long left = index;
    for (Region region : Region.values()) {
      List<Long> all = sectors.get(region);
      long bits = (long) all.size() * SECTOR_BYTES * 8;
      if (left < bits) {
        long inSector = left / 8 % SECTOR_BYTES;
        long sector = all.get((int) (left / 8 / SECTOR_BYTES));
        return new Flip(region, sector * SECTOR_BYTES + inSector, (int) (left % 8));
      }
      left -= bits;
    }
    throw new AssertionError("there is no bit " + index);
  }

  private void run(List<Flip> batch) throws IOException, FsException {
    List<Flip> opening = new ArrayList<>();
    try (Pool opened = Pool.openToCheck(pool)) {
      for (int i = 0; i < batch.size(); i++) {
        Flip flip = batch.get(i);
        if (flip.region.isReadLater() && i % WHOLE_ONE_OF != 0) {
          flip(flip, () -> tryToRead(opened));
        } else {
          opening.add(flip);
        }
      }
    }
    for (int i = 0; i < opening.size(); i++) {
      Flip flip = opening.get(i);
      boolean mayUse = flip.region.isIndex() && i % USED_ONE_OF == 0;
      boolean whole = !flip.region.isIndex() || i % WHOLE_ONE_OF == 0;
      flip(
          flip,
          () -> {
            Outcome outcome = tryToOpen(whole);
            if (outcome == Outcome.HARMLESS && mayUse) {
              out.println("use");
              use();
            }
            return outcome;
          });
    }
    try (Pool opened = Pool.openToCheck(pool)) {
      requireSame(PoolContent.read(opened));
    }
  }

  private void report() {
    for (Region region : Region.values()) {
      int[] counts = tally.get(region);
      out.printf(
          "%s: %d bytes, %d flips detected, %d harmless%n",
          region,
          (long) sectors.get(region).size() * SECTOR_BYTES,
          counts[Outcome.DETECTED.ordinal()],
          counts[Outcome.HARMLESS.ordinal()]);
    }
    out.println("done");
  }

  private Region region() {
    int at = random.nextInt(100);
    for (Region region : Region.values()) {
      at -= region.share;
      if (at < 0) {
        return region;
      }
    }
    throw new AssertionError("the shares are not 100");
  }

  /** Half of them where most bytes mean something. */
  private long offset(Region region) {
    List<Long> choice = sectors.get(region);
    long sector = choice.get(random.nextInt(choice.size()));
    int dense =
        switch (region) {
          case RING -> RECORD_BYTES;
          case NODES -> NODE_BYTES;
          case INDEX_META -> META_BYTES;
          case INDEX_PAGES -> PAGE_START_BYTES;
          default -> SECTOR_BYTES;
        };
    return sector * SECTOR_BYTES + random.nextInt(random.nextBoolean() ? dense : SECTOR_BYTES);
  }

  private Path file(Region region) {
    return pool.resolve(region.isIndex() ? "index/data.mdb" : "data");
  }

  private interface Trial {
    Outcome run() throws IOException, FsException;
  }

  private void flip(Flip flip, Trial trial) throws IOException, FsException {
    Path file = file(flip.region);
    out.printf("flip %s %s %d bit %d%n", flip.region, file.getFileName(), flip.offset, flip.bit);
    flip(file, flip);
    try {
      tally.get(flip.region)[trial.run().ordinal()]++;
    } finally {
      flip(file, flip);
    }
  }

  /** The index must not be open. */
  private static void flip(Path path, Flip flip) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.seek(flip.offset);
      int before = file.read();
      file.seek(flip.offset);
      file.write(before ^ 1 << flip.bit);
    }
  }

  private Outcome tryToOpen(boolean whole) {
    try (Pool opened = Pool.openToCheck(pool)) {
      if (!whole && opened.auditSources().nodes().equals(goodNodes)) {
        requireSame(PoolContent.readProperties(opened), good.properties());
        return Outcome.HARMLESS;
      }
      return tryToRead(opened);
    } catch (IOException refused) {
      PoolContent.requireOneLine(refused);
      return Outcome.DETECTED;
    }
  }

  private Outcome tryToRead(Pool opened) throws IOException {
    opened.auditSources().store().dropCaches();
    PoolContent content = PoolContent.read(opened);
    requireSame(content);
    return content.damaged() > 0 ? Outcome.DETECTED : Outcome.HARMLESS;
  }

  private void requireSame(PoolContent content) {
    requireSame(content, good);
  }

  private static void requireSame(PoolContent content, PoolContent expected) {
    String difference = content.differenceFrom(expected);
    if (difference != null) {
      throw new AssertionError(difference);
    }
  }

  /** Changes a copy of the pool, which may be refused or fail; what is old stays as it was. */
  private void use() throws IOException, FsException {
    Files.createDirectories(copy.resolve("index"));
    for (String name : List.of("data", "index/data.mdb")) {
      Files.copy(pool.resolve(name), copy.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }
    try {
      try (Pool opened = Pool.open(copy)) {
        change(opened);
      }
      try (Pool opened = Pool.openToCheck(copy)) {
        FileSystem fs = opened.fileSystem("root");
        fs.forget(fs.lookup(FileSystem.ROOT_INODE, "new".getBytes(UTF_8)).inode(), 1);
        List<String> findings = opened.audit();
        if (!findings.isEmpty()) {
          throw new AssertionError("after a change: " + findings);
        }
      }
    } catch (IOException refused) {
      PoolContent.requireOneLine(refused);
    }
  }

  private static void change(Pool opened) throws IOException, FsException {
    FileSystem fs = opened.fileSystem("root");
    try {
      FileSystem.Created created =
          fs.create(
              Caller.ROOT,
              FileSystem.ROOT_INODE,
              "new".getBytes(UTF_8),
              0600,
              Set.of(OpenFlags.WRITE));
      fs.write(Caller.ROOT, created.handle(), 0, ByteBuffer.allocate(100_000), false);
      fs.release(created.handle());
      fs.forget(created.attributes().inode(), 1);
      fs.syncAll();
      opened
          .administration()
          .destroySnapshots(
              "root", "s0", PoolAdministration.Scope.ONE, PoolAdministration.Mode.EXECUTE);
      opened.administration().snapshot("root", "another", PoolAdministration.Scope.ONE);
    } catch (FsException failure) {
      if (failure.error() != FsError.IO) {
        throw failure;
      }
    }
  }
}
