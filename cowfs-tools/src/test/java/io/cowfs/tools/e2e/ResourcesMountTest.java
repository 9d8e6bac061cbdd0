package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a daemon takes of the machine does not grow with what it has done: 20,000 rounds of calls,
 * in the soak a million.
 */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
final class ResourcesMountTest {
  private static final int ROUNDS =
      Integer.getInteger("cowfs.rounds", Boolean.getBoolean("cowfs.soak") ? 1_000_000 : 20_000);

  /** As many files there are at the most; each round works on one of them. */
  private static final int FILES = 500;

  /** The caches are still filling, and the compiler is at work: not compared. */
  private static final int SETTLED = ROUNDS / 2;

  @TempDir private Path directory;

  /** Memory is in KiB: what is in use of the heap, of direct buffers and of malloc shows there. */
  private record Taken(long descriptors, long threads, long residentKib) {
    static Taken by(long pid) throws IOException {
      Path process = Path.of("/proc", Long.toString(pid));
      long resident =
          Files.readAllLines(process.resolve("status")).stream()
              .filter(line -> line.startsWith("RssAnon:"))
              .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
              .findFirst()
              .orElseThrow();
      return new Taken(entries(process.resolve("fd")), entries(process.resolve("task")), resident);
    }

    private static long entries(Path list) throws IOException {
      try (Stream<Path> entries = Files.list(list)) {
        return entries.count();
      }
    }
  }

  @Test
  void whatADaemonTakesDoesNotGrowWithWhatItDoes() throws Exception {
    long seed = Long.getLong("cowfs.seed", System.nanoTime());
    System.out.println("ResourcesMountTest -Dcowfs.seed=" + seed);
    Random random = new Random(seed);
    try (MountedPool mounted = MountedPool.create(directory)) {
      mounted.keepNoCheckpoints();
      String pool = mounted.pool().toString();
      long pid = mounted.daemonPid().orElseThrow();
      Taken settled = null;
      for (int round = 0; round < ROUNDS; round++) {
        if (round == SETTLED) {
          mounted.succeed("sync", pool);
          settled = Taken.by(pid);
        }
        round(mounted.path("file" + random.nextInt(FILES)), random);
        if (round % (ROUNDS / 20) == 0) {
          mounted.succeed("snapshot", pool + "@s" + round);
          mounted.succeed("destroy", pool + "@s" + round);
        }
      }
      mounted.succeed("sync", pool);
      Taken end = Taken.by(pid);
      String both = settled + " -> " + end;
      System.out.println(both);
      assertTrue(end.descriptors() <= settled.descriptors() + 4, both);
      assertTrue(end.threads() <= settled.threads() + 4, both);
      assertTrue(end.residentKib() <= settled.residentKib() + (64 << 10), both);
      mounted.unmount();
      mounted.succeed("check", pool);
    }
  }

  /** Makes, changes, reads, renames or removes one file. */
  private static void round(Path file, Random random) throws IOException {
    switch (random.nextInt(6)) {
      case 0 -> Files.deleteIfExists(file);
      case 1 -> {
        if (Files.exists(file)) {
          Files.move(file, file.resolveSibling("moved"), StandardCopyOption.REPLACE_EXISTING);
        }
      }
      case 2 -> {
        if (Files.exists(file)) {
          Files.readAllBytes(file);
        }
      }
      case 3 -> {
        if (Files.exists(file)) {
          Files.getFileAttributeView(file, UserDefinedFileAttributeView.class)
              .write("a", ByteBuffer.allocate(1 + random.nextInt(2_000)));
        }
      }
      default -> {
        try (FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
          byte[] content = new byte[1 + random.nextInt(30_000)];
          random.nextBytes(content);
          channel.write(ByteBuffer.wrap(content), random.nextInt(100_000));
        }
      }
    }
  }
}
