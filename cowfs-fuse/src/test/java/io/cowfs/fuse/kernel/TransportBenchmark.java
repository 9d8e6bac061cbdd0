package io.cowfs.fuse.kernel;

import io.cowfs.fuse.memory.MemoryFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/**
 * What the transport alone costs, over a file system in memory. A program, to be run as root; its
 * argument is an empty directory to mount on.
 */
public final class TransportBenchmark {
  private static final int ROUNDS = 5;

  private TransportBenchmark() {}

  /** A step of the benchmark; how many operations it did. */
  private interface Step {
    long run() throws IOException;
  }

  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path directory = Path.of(arguments[0]);
    for (String options : new String[] {"writeback=on", "writeback=off"}) {
      System.out.println("-o " + options);
      try (var mounted = new MountedMemory<>(new MemoryFileSystem(), directory, options)) {
        run(mounted);
      }
    }
  }

  private static void run(MountedMemory<MemoryFileSystem> mounted)
      throws IOException, InterruptedException {
    Path root = mounted.root;
    report("lookup that finds nothing", "us", () -> missing(root.resolve("missing")));
    report("create + close + unlink", "us", () -> create(root));
    Path file = root.resolve("file");
    report("4 KiB sequential write", "us", () -> write(file, 4096, 64 << 20));
    report("1 MiB write", "us", () -> write(file, 1 << 20, 256 << 20));
    mounted.shell("sync file");
    direct(mounted, "1 MiB direct read", "dd if=file of=/dev/null bs=1M iflag=direct");
    direct(mounted, "1 MiB direct write", "dd if=/dev/zero of=file bs=1M count=256 oflag=direct");
    for (int round = 0; round < ROUNDS; round++) {
      Files.writeString(Path.of("/proc/sys/vm/drop_caches"), "1");
      direct(mounted, "cold buffered read", "dd if=file of=/dev/null bs=1M");
    }
  }

  private static void direct(MountedMemory<MemoryFileSystem> mounted, String name, String command)
      throws IOException, InterruptedException {
    String[] lines = mounted.shell(command + " 2>&1").strip().split("\n", -1);
    System.out.printf(Locale.ROOT, "  %-28s %s%n", name, lines[lines.length - 1]);
  }

  private static void report(String name, String unit, Step step) throws IOException {
    double best = Double.MAX_VALUE;
    for (int round = 0; round < ROUNDS; round++) {
      long begin = System.nanoTime();
      long count = step.run();
      best = Math.min(best, (System.nanoTime() - begin) / 1000.0 / count);
    }
    System.out.printf(Locale.ROOT, "  %-28s %8.1f %s%n", name, best, unit);
  }

  private static long missing(Path path) {
    int count = 20_000;
    for (int i = 0; i < count; i++) {
      if (Files.exists(path)) {
        throw new IllegalStateException();
      }
    }
    return count;
  }

  private static long create(Path root) throws IOException {
    int count = 5_000;
    for (int i = 0; i < count; i++) {
      Path path = root.resolve("f" + i);
      Files.createFile(path);
      Files.delete(path);
    }
    return count;
  }

  private static long write(Path file, int size, int total) throws IOException {
    ByteBuffer data = ByteBuffer.allocateDirect(size);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      for (int done = 0; done < total; done += size) {
        channel.write(data.clear());
      }
    }
    return total / size;
  }
}
