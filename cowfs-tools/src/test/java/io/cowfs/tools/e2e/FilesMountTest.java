package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** Files and directories behave, and are the same after the pool was mounted again. */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
class FilesMountTest {
  private static final Path ANYWHERE = Path.of("/");

  @TempDir private Path directory;
  MountedPool mounted;

  @BeforeEach
  void mount() throws IOException {
    mounted = MountedPool.create(directory, mountOptions());
  }

  /** How it is mounted; another transport's suite says something else. */
  String[] mountOptions() {
    return new String[0];
  }

  @AfterEach
  void unmount() throws IOException {
    mounted.close();
  }

  @Test
  void namesAreBytes() throws IOException {
    Path names = Files.createDirectory(mounted.path("names"));
    Program.python("names.py", "make", names);
    Program.python("names.py", "check", names);
    mounted.remount();
    Program.python("names.py", "check", names);
    Program.succeed(ANYWHERE, "rm", "-rf", names.toString());
    assertFalse(Files.exists(names));
  }

  @Test
  void aDirectoryOfTenThousandFilesIsListedWhole() throws IOException {
    Path many = Files.createDirectory(mounted.path("many"));
    Set<String> expected = new HashSet<>();
    for (int i = 0; i < 10_000; i++) {
      String name = "file-with-a-longer-name-" + i;
      Files.createFile(many.resolve(name));
      expected.add(name);
    }
    assertEquals(expected, list(many));
    mounted.remount();
    assertEquals(expected, list(many));
    int visited = 0;
    try (var files = Files.newDirectoryStream(many)) {
      for (Path file : files) { // deletes while it lists
        if (visited++ % 2 == 0) {
          Files.delete(file);
          expected.remove(file.getFileName().toString());
        }
      }
    }
    assertEquals(10_000, visited);
    assertEquals(expected, list(many));
    assertThrows(DirectoryNotEmptyException.class, () -> Files.delete(many));
    Program.succeed(ANYWHERE, "rm", "-r", many.toString());
    assertFalse(Files.exists(many));
  }

  private static Set<String> list(Path directory) throws IOException {
    Set<String> names = new HashSet<>();
    try (var files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        assertTrue(names.add(file.getFileName().toString()), () -> "listed twice: " + file);
      }
    }
    return names;
  }

  @Test
  void holesReadAsZerosAndTakeNoSpace() throws IOException {
    Path sparse = mounted.path("sparse");
    byte[] block = noise(1, 10_000);
    long[] offsets = {0, 5_000_000, 1L << 32, 5L << 40};
    try (FileChannel channel =
        FileChannel.open(sparse, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      for (long offset : offsets) {
        channel.write(ByteBuffer.wrap(block), offset);
      }
    }
    mounted.remount();
    assertEquals((5L << 40) + block.length, Files.size(sparse));
    try (FileChannel channel = FileChannel.open(sparse)) {
      for (long offset : offsets) {
        assertArrayEquals(block, read(channel, offset, block.length));
        assertArrayEquals(new byte[9000], read(channel, offset + block.length, 9000, offset));
      }
    }
    String blocks = Program.succeed(ANYWHERE, "stat", "-c", "%b", sparse.toString());
    assertTrue(Long.parseLong(blocks.strip()) < 1000, () -> "blocks: " + blocks);
    Program.shell(ANYWHERE, "truncate -s 100 $1; truncate -s 20000 $1", sparse);
    byte[] expected = new byte[20_000];
    System.arraycopy(block, 0, expected, 0, 100);
    assertArrayEquals(expected, Files.readAllBytes(sparse));
    mounted.remount();
    assertArrayEquals(expected, Files.readAllBytes(sparse));
  }

  /** Reads behind a block; at the end of the file, where nothing is left, as zeros. */
  private static byte[] read(FileChannel channel, long offset, int length, long block)
      throws IOException {
    return block == 5L << 40 ? new byte[length] : read(channel, offset, length);
  }

  private static byte[] read(FileChannel channel, long offset, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining() && channel.read(buffer, offset + buffer.position()) > 0) {}
    assertEquals(0, buffer.remaining(), "short read at " + offset);
    return buffer.array();
  }

  @Test
  void randomWritesAndTruncationsMatchAModel() throws IOException {
    long seed = System.nanoTime();
    System.out.println("randomWritesAndTruncationsMatchAModel: seed " + seed);
    Random random = new Random(seed);
    Path file = mounted.path("file");
    byte[] model = new byte[0];
    for (int round = 0; round < 4; round++) {
      try (FileChannel channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
        for (int step = 0; step < 300; step++) {
          model = randomStep(random, channel, model);
        }
      }
      if (round % 2 == 0) {
        mounted.remount();
      }
      assertArrayEquals(model, Files.readAllBytes(file), "seed " + seed);
    }
  }

  private static byte[] randomStep(Random random, FileChannel channel, byte[] model)
      throws IOException {
    int position = random.nextInt(model.length + 100_000);
    switch (random.nextInt(20)) {
      case 0 -> {
        int size = Math.min(position, model.length);
        channel.truncate(size);
        return Arrays.copyOf(model, size);
      }
      case 1 -> channel.force(random.nextBoolean());
      case 2, 3, 4 -> {
        if (position < model.length) {
          int length = Math.min(model.length - position, random.nextInt(200_000));
          byte[] expected = Arrays.copyOfRange(model, position, position + length);
          assertArrayEquals(expected, read(channel, position, length));
        }
      }
      default -> {
        byte[] data = new byte[random.nextInt(random.nextInt(20) == 0 ? 400_000 : 6_000)];
        random.nextBytes(data);
        channel.write(ByteBuffer.wrap(data), position);
        int size = data.length == 0 ? model.length : position + data.length;
        byte[] next = Arrays.copyOf(model, Math.max(model.length, size));
        System.arraycopy(data, 0, next, data.length == 0 ? 0 : position, data.length);
        return next;
      }
    }
    return model;
  }

  @Test
  void anUnlinkedFileLivesWhileItIsOpen() throws IOException {
    mounted.keepNoCheckpoints();
    Path file = mounted.path("file");
    byte[] content = noise(3, 60_000_000);
    Files.write(file, content);
    mounted.succeed("sync", mounted.pool().toString());
    long before = mounted.allocatedBytes();
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      Files.delete(file);
      assertFalse(Files.exists(file));
      channel.write(ByteBuffer.wrap(content, 0, 5000), 60_000_000);
      channel.force(true);
      assertArrayEquals(content, read(channel, 0, content.length));
    }
    mounted.awaitFreed(30_000_000, before);
  }

  @Test
  void anUnlinkedFileThatWasOpenInACrashIsReaped() throws IOException {
    mounted.keepNoCheckpoints();
    Path file = Files.write(mounted.path("file"), noise(4, 60_000_000));
    mounted.succeed("sync", mounted.pool().toString());
    long before = mounted.allocatedBytes();
    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
    try {
      Files.delete(file);
      // A commit: what is only in the log would be done again, and freed by that.
      mounted.succeed("set", mounted.pool().toString(), "user:committed=yes");
      mounted.killDaemon();
    } finally {
      channel.close();
    }
    mounted.mount();
    assertEquals(Set.of(), list(mounted.root()));
    mounted.awaitFreed(30_000_000, before);
  }

  @Test
  void aKilledDaemonLeavesNoLibrariesBehind() throws IOException {
    Path maps = Path.of("/proc", "" + mounted.daemonPid().orElseThrow(), "maps");
    Set<String> libraries =
        Files.readAllLines(maps).stream()
            .filter(line -> line.contains("lmdbjava") || line.contains("lz4-java"))
            .map(line -> line.substring(line.indexOf('/')))
            .collect(Collectors.toSet());
    assertEquals(2, libraries.size(), libraries::toString);
    libraries.forEach(file -> assertTrue(file.endsWith(".so (deleted)"), file));
  }

  @Test
  void renamesReplaceAndRefuseAsTheyShould() throws IOException {
    Path root = mounted.root();
    Path a = Files.writeString(root.resolve("a"), "a");
    Path b = Files.writeString(root.resolve("b"), "b");
    Path inner = Files.createDirectories(root.resolve("d/e/f"));
    Files.move(a, b, StandardCopyOption.ATOMIC_MOVE);
    assertEquals("a", Files.readString(b));
    assertFalse(Files.exists(a));
    Program.run(ANYWHERE, List.of("mv", "-T", root + "/d", inner + "/d")).expectExit(1);
    Program.run(ANYWHERE, List.of("mv", "-T", root + "/b", root + "/d")).expectExit(1);
    Files.move(inner, root.resolve("g"));
    Program.succeed(ANYWHERE, "mv", "-T", root + "/g", root + "/d/e");
    assertThrows(FileAlreadyExistsException.class, () -> Files.createDirectory(root.resolve("d")));
    mounted.remount();
    assertEquals(Set.of("b", "d"), list(root));
    assertEquals(Set.of("e"), list(root.resolve("d")));
    assertEquals(Set.of(), list(root.resolve("d/e")));
    assertEquals(3, Files.getAttribute(root.resolve("d"), "unix:nlink"));
  }

  @Test
  @EnabledIf("io.cowfs.tools.e2e.Requirements#root")
  void permissionsAreKeptByTheKernel() throws IOException {
    Program.shell(ANYWHERE, "chmod 755 $1", directory);
    Path secret = Files.writeString(mounted.path("secret"), "for root");
    Program.shell(ANYWHERE, "chmod 755 $1; chmod 600 $2", mounted.root(), secret);
    assertTrue(asNobody("cat secret").errors().contains("Permission denied"));
    Program.shell(ANYWHERE, "chmod 644 $1", secret);
    assertEquals("for root", asNobody("cat secret").expectExit(0).output());
    asNobody("echo more >> secret").expectExit(2);
    asNobody("rm -f secret").expectExit(1);

    Program.shell(mounted.root(), "cp /bin/true tool; chmod 6757 tool");
    asNobody("echo more >> tool").expectExit(0);
    assertEquals("757\n", Program.succeed(mounted.root(), "stat", "-c", "%a", "tool"));
  }

  private Program.Result asNobody(String script) throws IOException {
    return Program.run(
        mounted.root(),
        List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", script));
  }

  @Test
  void freeSpaceIsReported() throws IOException {
    String before = Program.succeed(ANYWHERE, "df", "-B1", "--output=used", "" + mounted.root());
    Files.write(mounted.path("file"), noise(5, 30_000_000));
    mounted.succeed("sync", mounted.pool().toString());
    String after = Program.succeed(ANYWHERE, "df", "-B1", "--output=used", "" + mounted.root());
    assertTrue(lastNumber(after) - lastNumber(before) >= 29_000_000, before + after);
    String inodes = Program.succeed(ANYWHERE, "df", "--output=iused", "" + mounted.root());
    assertTrue(lastNumber(inodes) >= 1, inodes);
  }

  private static long lastNumber(String text) {
    return Long.parseLong(text.strip().replaceFirst("(?s).*\\s", ""));
  }

  @Test
  void manyThreadsAtOnceLoseNothing() throws Exception {
    int threads = 12;
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    Path shared = Files.createDirectory(mounted.path("shared"));
    List<Callable<Integer>> workers = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      int id = i;
      workers.add(() -> work(shared, id));
    }
    int renamed = 0;
    try {
      for (Future<Integer> result : executor.invokeAll(workers)) {
        renamed += result.get();
      }
    } finally {
      executor.shutdown();
    }
    assertTrue(renamed > 0);
    mounted.remount();
    for (int id = 0; id < threads; id++) {
      for (int i = 0; i < 150; i++) {
        Path file = mounted.path("shared/kept-" + id + "-" + i);
        assertArrayEquals(noise(id * 1000L + i, 100 * i), Files.readAllBytes(file));
      }
    }
    assertEquals(threads * 150 + 1, list(shared).size());
  }

  /** Reads a file over which others are renamed meanwhile: it is always there. */
  String readWhileReplaced(Path file) throws IOException {
    return Files.readString(file);
  }

  /** Makes files, and fights with the other workers for one name. */
  private Integer work(Path shared, int id) throws IOException {
    int renamed = 0;
    for (int i = 0; i < 150; i++) {
      Path temporary = shared.resolve("temporary-" + id);
      Files.write(temporary, noise(id * 1000L + i, 100 * i));
      Files.move(temporary, shared.resolve("kept-" + id + "-" + i));
      Files.writeString(temporary, "of worker " + id);
      Files.move(temporary, shared.resolve("fought-for"), StandardCopyOption.ATOMIC_MOVE);
      assertTrue(readWhileReplaced(shared.resolve("fought-for")).startsWith("of worker "));
      renamed++;
      Path nested = Files.createDirectories(shared.resolve("d-" + id + "/x/y"));
      Files.createLink(nested.resolve("link"), shared.resolve("kept-" + id + "-" + i));
      Files.delete(nested.resolve("link"));
      for (Path d = nested; !d.equals(shared); d = d.getParent()) {
        Files.delete(d);
      }
    }
    return renamed;
  }

  @Test
  void sigtermCommitsEverythingAndUnmounts() throws IOException {
    byte[] content = noise(6, 3_000_000);
    Files.write(mounted.path("file"), content);
    mounted.terminateDaemon();
    for (int i = 0; i < 400 && mounted.daemonPid().isPresent(); i++) {
      MountedPool.pause(50);
    }
    assertFalse(mounted.isMounted(), "SIGTERM leaves the mount");
    mounted.mount();
    assertArrayEquals(content, Files.readAllBytes(mounted.path("file")));
  }

  @Test
  void aPlainUmountCommitsEverythingAndEndsTheDaemon() throws IOException {
    byte[] content = noise(7, 3_000_000);
    Files.write(mounted.path("file"), content);
    Program.succeed(ANYWHERE, "umount", mounted.root().toString());
    for (int i = 0; i < 400 && mounted.daemonPid().isPresent(); i++) {
      MountedPool.pause(50);
    }
    assertTrue(mounted.daemonPid().isEmpty(), "the daemon outlives umount");
    mounted.mount();
    assertArrayEquals(content, Files.readAllBytes(mounted.path("file")));
  }

  private static byte[] noise(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }
}
