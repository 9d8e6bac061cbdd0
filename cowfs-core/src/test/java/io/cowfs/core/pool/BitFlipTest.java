package io.cowfs.core.pool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * A flipped bit anywhere in a pool is detected, or it does no harm: no wrong byte is read, no
 * process ends, none goes on without end or takes memory without bounds.
 *
 * <p>A soak flips every bit once, for hours, and prints the position that it has come to; {@code
 * -Dcowfs.flips.first=POSITION} goes on from there, with {@code -Dcowfs.flips=N} for so many.
 */
final class BitFlipTest {
  private static final int FLIPS = Integer.getInteger("cowfs.flips", 20_000);
  private static final long FIRST = Long.getLong("cowfs.flips.first", 0);
  private static final long SOAK_FLIPS = Long.getLong("cowfs.flips", Long.MAX_VALUE / 2);

  /** Of the positions that are printed, one of so many is shown. */
  private static final int POSITIONS_PER_LINE = 20;

  /** A flip takes a few milliseconds; whatever takes so long does not end. */
  private static final long FLIP_SECONDS_MAX = 60;

  private static final Pattern RESULT =
      Pattern.compile("(\\w+): \\d+ bytes, (\\d+) flips detected, (\\d+) harmless");

  private static final String POSITION = "position ";

  @TempDir private Path directory;

  private record Result(int detected, int harmless) {}

  @Test
  void aFlippedBitIsDetectedOrHarmless() throws Exception {
    SamplePool.make(directory.resolve("pool"));
    long seed = System.nanoTime();
    System.out.println("aFlippedBitIsDetectedOrHarmless: seed " + seed);
    checked(run("some", seed, FLIPS));
  }

  @Test
  @EnabledIfSystemProperty(named = "cowfs.soak", matches = "true")
  void anyFlippedBitIsDetectedOrHarmless() throws Exception {
    SamplePool.make(directory.resolve("pool"));
    checked(run("all", FIRST, SOAK_FLIPS));
  }

  private static void checked(Map<BitFlips.Region, Result> results) {
    for (BitFlips.Region region : BitFlips.Region.values()) {
      Result result = results.get(region);
      boolean isStoredTwice = region == BitFlips.Region.NODES;
      assertEquals(!isStoredTwice, result.detected() > 0, region + ": " + result);
      assertTrue(result.detected() + result.harmless() > 0, region + ": " + result);
    }
    assertEquals(0, results.get(BitFlips.Region.LABEL).harmless());
    assertEquals(0, results.get(BitFlips.Region.RING).harmless());
  }

  private Map<BitFlips.Region, Result> run(String which, long first, long flips) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:MaxDirectMemorySize=256m",
                "-XX:ErrorFile=" + directory.resolve("crash.log"),
                "--add-opens=java.base/java.nio=ALL-UNNAMED",
                "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                BitFlips.class.getName(),
                directory.toString(),
                which,
                Long.toString(first),
                Long.toString(flips))
            .redirectErrorStream(true)
            .start();
    AtomicLong lastLine = new AtomicLong(System.nanoTime());
    AtomicBoolean hung = new AtomicBoolean();
    Thread watchdog = new Thread(() -> watch(process, lastLine, hung), "watchdog");
    watchdog.start();
    Map<BitFlips.Region, Result> results = new EnumMap<>(BitFlips.Region.class);
    Deque<String> last = new ArrayDeque<>();
    try {
      read(process, lastLine, last, results);
      int exit = process.waitFor();
      assertTrue(
          exit == 0 && "done".equals(last.peekLast()),
          () -> "exit code %d%s%n%s".formatted(exit, hung.get() ? ", hung" : "", tail(last)));
    } finally {
      process.destroyForcibly().waitFor();
      watchdog.join();
    }
    return results;
  }

  private static String tail(Deque<String> lines) {
    return String.join("\n", lines);
  }

  private static void read(
      Process process,
      AtomicLong lastLine,
      Deque<String> last,
      Map<BitFlips.Region, Result> results)
      throws IOException {
    try (BufferedReader lines = process.inputReader(UTF_8)) {
      int positions = 0;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith(POSITION) && positions++ % POSITIONS_PER_LINE == 0) {
          System.out.println(line);
        }
        lastLine.set(System.nanoTime());
        last.addLast(line);
        if (last.size() > 60) {
          last.removeFirst();
        }
        Matcher result = RESULT.matcher(line);
        if (result.matches()) {
          System.out.println(line);
          results.put(
              BitFlips.Region.valueOf(result.group(1)),
              new Result(Integer.parseInt(result.group(2)), Integer.parseInt(result.group(3))));
        }
      }
    }
  }

  private static void watch(Process process, AtomicLong lastLine, AtomicBoolean hung) {
    try {
      while (!process.waitFor(1, TimeUnit.SECONDS)) {
        if (System.nanoTime() - lastLine.get() > TimeUnit.SECONDS.toNanos(FLIP_SECONDS_MAX)) {
          hung.set(true);
          process.destroyForcibly();
        }
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
    }
  }
}
