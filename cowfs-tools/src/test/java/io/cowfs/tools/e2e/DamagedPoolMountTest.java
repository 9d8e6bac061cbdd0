package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
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

  @TempDir private Path directory;
  private MountedPool mounted;

  /** Damages a file that is open for writing. */
  private interface Damage {
    void apply(FileChannel file) throws IOException;
  }

  @BeforeEach
  void fillAndUnmount() throws IOException {
    try (MountedPool filled = MountedPool.create(directory)) {
      mounted = filled;
      for (int i = 0; i < 12; i++) {
        Files.write(filled.path("file-" + i), new byte[100_000]);
        filled.succeed("snapshot", filled.pool() + "@s" + i);
      }
    }
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
    for (int i = 0; i < 8; i++) {
      offsets.add((2L + random.nextInt(128)) * SECTOR_BYTES + random.nextInt(128));
      offsets.add(2L * SECTOR_BYTES + random.nextInt((FIRST_DATA_SECTOR - 2) * SECTOR_BYTES));
    }
    for (long offset : offsets) {
      assertRefused("data", "flipped at " + offset, file -> flip(file, offset, random));
    }
  }

  @Test
  void aFlippedBitInTheIndexIsFound() throws IOException {
    long seed = System.nanoTime();
    System.out.println("aFlippedBitInTheIndexIsFound: seed " + seed);
    Random random = new Random(seed);
    long size = usedIndexBytes();
    List<Long> offsets = new ArrayList<>(List.of(0L, 16L, 24L, 4096L + 24, 8192L, 8192L + 12));
    for (int i = 0; i < 12; i++) {
      offsets.add((long) (random.nextDouble() * size));
    }
    for (long offset : offsets) {
      assertRefused("index/data.mdb", "flipped at " + offset, file -> flip(file, offset, random));
    }
  }

  /** LMDB does not look at the rest, and keeps space for commits there. */
  private long usedIndexBytes() throws IOException {
    long free = 0;
    byte[] index = Files.readAllBytes(mounted.pool().resolve("index/data.mdb"));
    while (free < index.length && index[index.length - 1 - (int) free] == 0) {
      free++;
    }
    return index.length - free;
  }

  @Test
  void aFileCutShortIsFound() throws IOException {
    for (String name : List.of("data", "index/data.mdb")) {
      for (long left : new long[] {0, 100, 4096, 5000, 600_000}) {
        if (left < Files.size(mounted.pool().resolve(name))) {
          assertRefused(name, "cut to " + left, file -> file.truncate(left));
        }
      }
    }
  }

  private static void flip(FileChannel file, long offset, Random random) throws IOException {
    ByteBuffer one = ByteBuffer.allocate(1);
    file.read(one, offset);
    one.put(0, (byte) (one.get(0) ^ 1 << random.nextInt(8))).rewind();
    file.write(one, offset);
  }

  /** Damages a copy of the pool, looks at it, and throws the copy away. */
  private void assertRefused(String name, String what, Damage damage) throws IOException {
    Path copy = directory.resolve("copy");
    Program.shell(directory, "cp -a --sparse=always pool copy");
    Path damaged = copy.resolve(name);
    try (FileChannel channel =
        FileChannel.open(damaged, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      damage.apply(channel);
    }
    String before = checksums(copy);
    Program.Result result = MountedPool.cowfs("list", copy.toString());
    String after = checksums(copy);
    Program.shell(directory, "rm -rf copy");
    Supplier<String> context = () -> name + " " + what + ": " + result;
    assertEquals(1, result.exitCode(), context);
    assertEquals(1, result.errors().lines().count(), context);
    assertTrue(result.errors().contains(copy.resolve(name).toString()), context);
    assertEquals(before, after, context);
  }

  private static String checksums(Path pool) throws IOException {
    return Program.shell(pool, "sha256sum data index/data.mdb; stat -c '%n %s %b' data");
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

  private MountedPool mountAgain() throws IOException {
    mounted.mount();
    return mounted;
  }
}
