package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Moves one file back and forth between two directories, under ever new names. After a crash it is
 * there exactly once, under the name last synced or a later one.
 */
final class RenameLoad extends CrashLoad {
  private final byte[] content;
  private int synced;
  private int latest;

  RenameLoad(Path directory, long seed) throws IOException {
    super(directory, seed);
    content = noise(50_000);
    Files.createDirectory(directory.resolve("0"));
    Files.createDirectory(directory.resolve("1"));
    writeSynced(path(0), content);
    syncDirectory(directory.resolve("0"));
    syncDirectory(directory);
  }

  private Path path(int version) {
    return directory.resolve(version % 2 + "/" + version);
  }

  @Override
  protected void step() throws IOException {
    for (int moves = 1 + random.nextInt(20); moves > 0; moves--) {
      latest++;
      Files.move(path(latest - 1), path(latest), StandardCopyOption.ATOMIC_MOVE);
    }
    syncDirectory(directory.resolve("0"));
    syncDirectory(directory.resolve("1"));
    synced = latest;
  }

  @Override
  void verify(String where) throws IOException {
    List<Integer> found = new ArrayList<>();
    for (String half : List.of("0", "1")) {
      try (var files = Files.newDirectoryStream(directory.resolve(half))) {
        files.forEach(file -> found.add(Integer.valueOf(file.getFileName().toString())));
      }
    }
    assertEquals(1, found.size(), () -> "the file is at " + found + ", " + where);
    int version = found.get(0);
    if (version < synced || version > latest) {
      throw new AssertionError(
          "at " + version + ", not between " + synced + " and " + latest + ", " + where);
    }
    assertArrayEquals(content, Files.readAllBytes(path(version)), where);
    synced = version;
    latest = version;
  }
}
