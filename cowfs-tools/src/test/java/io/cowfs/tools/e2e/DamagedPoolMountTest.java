package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/**
 * A pool with a flipped bit in label, ring or index, or with a file cut short, is refused with one
 * line that names the damaged file, and stays as it is.
 */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
final class DamagedPoolMountTest {
  private static final int SECTOR_BYTES = 4096;
  private static final int FIRST_DATA_SECTOR = 130;

  @TempDir private static Path filled;
  private static MountedPool original;

  @TempDir private Path directory;
  private MountedPool mounted;

  /** Damages a file that is open for writing. */
  private interface Damage {
    void apply(FileChannel file) throws IOException;
  }

  @BeforeAll
  static void fillAndUnmount() throws IOException {
    try (MountedPool pool = MountedPool.create(filled)) {
      original = pool;
      for (int i = 0; i < 12; i++) {
        Files.write(pool.path("file-" + i), new byte[100_000]);
        pool.succeed("snapshot", pool.pool() + "@s" + i);
      }
    }
  }

  @BeforeEach
  void copy() throws IOException {
    mounted = MountedPool.copyOf(original, directory);
  }

  @Test
  void aFlippedBitInLabelOrRingIsFound() throws IOException {
    long seed = System.nanoTime();
    System.out.println("aFlippedBitInLabelOrRingIsFound: seed " + seed);
    Random random = new Random(seed);
    List<Long> offsets = new ArrayList<>(List.of(0L, 9L, (long) SECTOR_BYTES - 1, 4096L, 8191L));
    for (int i = 0; i < 4; i++) {
      offsets.add((long) random.nextInt(2 * SECTOR_BYTES));
    }
    for (int i = 0; i < 6; i++) {
      offsets.add((2L + random.nextInt(128)) * SECTOR_BYTES + random.nextInt(128));
      offsets.add(2L * SECTOR_BYTES + random.nextInt((FIRST_DATA_SECTOR - 2) * SECTOR_BYTES));
    }
    for (long offset : offsets) {
      assertRefused("data", "flipped at " + offset, file -> flip(file, offset, random));
    }
  }

  /** Opening reads all records of the index. What it does not read is unused: harmless. */
  @Test
  void aFlippedBitInTheIndexIsFoundOrHarmless() throws IOException {
    long seed = System.nanoTime();
    System.out.println("aFlippedBitInTheIndexIsFoundOrHarmless: seed " + seed);
    Random random = new Random(seed);
    String intact = mounted.succeed("list", "-H", "-p", mounted.pool().toString());
    long size = usedIndexBytes();
    List<Long> offsets = new ArrayList<>(List.of(0L, 16L, 24L, 4096L + 24));
    for (int i = 0; i < 10; i++) {
      offsets.add((long) (random.nextDouble() * size));
    }
    int found = 0;
    for (long offset : offsets) {
      Path copy = damagedCopy("index/data.mdb", file -> flip(file, offset, random));
      Program.Result result = Client.run("list", "-H", "-p", copy.toString());
      if (result.exitCode() == 0) {
        assertEquals(intact, result.output(), "flipped at " + offset);
      } else {
        assertOneLine(result, copy.resolve("index/data.mdb"));
        found++;
      }
    }
    assertTrue(found >= 4, found + " of " + offsets.size() + " found");
  }

  /** LMDB does not look at the rest, and keeps space for commits there. */
  private long usedIndexBytes() throws IOException {
    byte[] index = Files.readAllBytes(mounted.pool().resolve("index/data.mdb"));
    int used = index.length;
    while (used > 0 && index[used - 1] == 0) {
      used--;
    }
    return used;
  }

  @Test
  void aFileCutShortIsFound() throws IOException {
    for (long left : new long[] {0, 100, 4096, 5000, 600_000}) {
      assertRefused("data", "cut to " + left, file -> file.truncate(left));
    }
    for (long left : new long[] {0, 100, 4096, 5000, usedIndexBytes() / 2}) {
      assertRefused("index/data.mdb", "cut to " + left, file -> file.truncate(left));
    }
  }

  private static void flip(FileChannel file, long offset, Random random) throws IOException {
    ByteBuffer one = ByteBuffer.allocate(1);
    file.read(one, offset);
    one.put(0, (byte) (one.get(0) ^ 1 << random.nextInt(8))).rewind();
    file.write(one, offset);
  }

  private void assertRefused(String name, String what, Damage damage) throws IOException {
    Path copy = damagedCopy(name, damage);
    String before = state(copy);
    Program.Result result = Client.run("list", copy.toString());
    assertEquals(1, result.exitCode(), () -> name + " " + what + ": " + result);
    assertOneLine(result, copy.resolve(name));
    assertEquals(before, state(copy), () -> name + " " + what + ": " + result);
  }

  private static void assertOneLine(Program.Result result, Path named) {
    assertTrue(result.errors().startsWith("cowfs: "), result::toString);
    assertEquals(1, result.errors().lines().count(), result::toString);
    assertTrue(result.errors().contains(named.toString()), result::toString);
  }

  /** A copy of the pool, in place of the last one, with a damaged file. */
  private Path damagedCopy(String name, Damage damage) throws IOException {
    Program.shell(directory, "rm -rf copy; cp -a --sparse=always pool copy");
    Path copy = directory.resolve("copy");
    try (FileChannel channel =
        FileChannel.open(copy.resolve(name), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      damage.apply(channel);
    }
    return copy;
  }

  /** Synced, for a copy gets its blocks from the host when that writes it out. */
  private static String state(Path pool) throws IOException {
    return Program.shell(
        pool,
        "sync data index/data.mdb; head -c 4M data | sha256sum; sha256sum index/data.mdb;"
            + " stat -c '%n %s %b %y' data index/data.mdb");
  }

  @Test
  void damagedDataIsAnErrorOfItsFileAndOfNoOther() throws IOException {
    byte[] content = new byte[1 << 20];
    new Random(1).nextBytes(content);
    try (MountedPool pool = mountAgain()) {
      Files.write(pool.path("victim"), content);
    }
    String start = HexFormat.of().formatHex(content, 0, 512);
    Program.python("flip.py", mounted.pool().resolve("data"), start);
    try (MountedPool pool = mountAgain()) {
      Program.Result result = Program.run(pool.root(), List.of("cat", "victim"));
      assertEquals(1, result.exitCode());
      assertTrue(result.errors().contains("Input/output error"), result::toString);
      assertEquals(100_000, Files.readAllBytes(pool.path("file-3")).length);
      Files.writeString(pool.path("still"), "writable");
    }
  }

  @Test
  void whatWasInAFileIsNeitherLoggedNorPrinted() throws IOException {
    String secret = "the-secret-of-the-file-";
    byte[] content = new byte[1 << 20];
    new Random(2).nextBytes(content);
    for (int at = 0; at < content.length; at += SECTOR_BYTES) {
      System.arraycopy(secret.getBytes(StandardCharsets.US_ASCII), 0, content, at, secret.length());
    }
    Path log = mounted.pool().resolve("log");
    String printed;
    try (MountedPool pool = mountAgain()) {
      Files.write(pool.path("victim"), content);
      Program.succeed(pool.root(), "setfattr", "-n", "user.a", "-v", secret, "victim");
      Files.writeString(pool.path("small"), secret);
      Files.createSymbolicLink(pool.path("link"), Path.of(secret));
      pool.succeed("snapshot", pool.pool() + "@full");
    }
    Program.python(
        "flip.py", mounted.pool().resolve("data"), HexFormat.of().formatHex(content, 0, 512));
    try (MountedPool pool = mountAgain()) {
      Program.Result cat = Program.run(pool.root(), List.of("cat", "victim"));
      assertEquals(1, cat.exitCode());
      Program.Result check = MountedPool.cowfs("check", pool.pool().toString());
      assertEquals(1, check.exitCode(), check::toString);
      printed = cat.errors() + check + pool.succeed("status", pool.pool().toString());
    }
    StringBuilder logged = new StringBuilder();
    try (Stream<Path> files = Files.list(log)) {
      for (Path file : files.toList()) {
        logged.append(Files.readString(file));
      }
    }
    assertTrue(logged.toString().contains("does not match its checksum"), logged::toString);
    assertFalse(logged.toString().contains("the-secret"), logged::toString);
    assertFalse(printed.contains("the-secret"), printed);
    assertTrue(printed.contains("/victim"), printed);
  }

  private MountedPool mountAgain() throws IOException {
    mounted.mount();
    return mounted;
  }
}
