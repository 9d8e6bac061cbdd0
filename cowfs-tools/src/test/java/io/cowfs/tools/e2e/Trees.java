package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Makes trees of files and compares them. */
final class Trees {
  private static final int DIFFERENCES_SHOWN_MAX = 20;

  private Trees() {}

  /**
   * Everything of a tree that a copy has to keep: names, types, modes, owners, modification times,
   * sizes, contents, hard links, devices, symlink targets, extended attributes.
   */
  static List<String> listing(Path root) throws IOException {
    return Program.python("tree.py", root).lines().toList();
  }

  /** As {@link #listing}, and the change times, which only a snapshot keeps. */
  static List<String> listingWithChangeTimes(Path root) throws IOException {
    return Program.python("tree.py", "--ctime", root).lines().toList();
  }

  /** Deletes a tree. */
  static void delete(Path root) {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Fails with the first lines that differ. */
  static void assertSame(List<String> expected, List<String> actual) {
    if (expected.equals(actual)) {
      return;
    }
    List<String> differences = new ArrayList<>();
    onlyIn(expected, actual).forEach(line -> differences.add(line + " <- expected"));
    onlyIn(actual, expected).forEach(line -> differences.add(line + " <- found"));
    differences.sort(null);
    String shown =
        differences.stream().limit(DIFFERENCES_SHOWN_MAX).collect(Collectors.joining("\n"));
    fail(differences.size() + " lines differ:\n" + shown);
  }

  private static List<String> onlyIn(List<String> lines, List<String> others) {
    Set<String> known = new HashSet<>(others);
    return lines.stream().filter(line -> !known.contains(line)).toList();
  }

  /**
   * Fills a new directory with a tree like that of a program's sources: many small files, a few
   * large ones, empty ones, symbolic and hard links, several modes, times of long ago.
   */
  static void make(Path root, long seed, int files) throws IOException {
    Random random = new Random(seed);
    Files.createDirectories(root);
    List<Path> made = new ArrayList<>();
    Set<Path> directories = new HashSet<>();
    for (int i = 0; i < files; i++) {
      Path directory =
          root.resolve("module-" + random.nextInt(8) + "/package-" + random.nextInt(12));
      if (directories.add(directory)) {
        Files.createDirectories(directory);
      }
      Path file = directory.resolve("Source" + i + ".java");
      int kind = random.nextInt(40);
      if (kind == 0 && !made.isEmpty()) {
        Files.createSymbolicLink(
            file, Path.of("../" + made.get(i / 2 % made.size()).getFileName()));
        continue;
      }
      if (kind == 1 && !made.isEmpty()) {
        Files.createLink(file, made.get(random.nextInt(made.size())));
        continue;
      }
      Files.write(file, content(random, kind));
      Files.setPosixFilePermissions(
          file, PosixFilePermissions.fromString(kind % 5 == 0 ? "rwxr-x--x" : "rw-r--r--"));
      Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000_000_000L + i * 86_399_123L));
      made.add(file);
    }
    Files.createDirectories(root.resolve("empty"));
  }

  /** Compressible text for most, noise for some. */
  private static byte[] content(Random random, int kind) {
    int length =
        switch (kind) {
          case 2 -> 0;
          case 3 -> 1 << 20;
          case 4, 5 -> random.nextInt(300_000);
          default -> random.nextInt(12_000);
        };
    byte[] content = new byte[length];
    random.nextBytes(content);
    if (kind % 3 != 0) {
      for (int i = 0; i < length; i++) {
        content[i] = (byte) (content[i] < 0 ? ' ' : 'a' + content[i] % 8);
      }
    }
    return content;
  }
}
