package io.cowfs.tools.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.TreeSet;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RotatingLogHandlerTest {
  @TempDir private Path directory;

  private static void log(RotatingLogHandler handler, int count) {
    for (int i = 0; i < count; i++) {
      handler.publish(new LogRecord(Level.INFO, "line " + i));
    }
  }

  private Set<String> files() throws IOException {
    Set<String> names = new TreeSet<>();
    try (Stream<Path> files = Files.list(directory)) {
      files.forEach(f -> names.add(f.getFileName().toString()));
    }
    return names;
  }

  @Test
  void filesAreFewSmallAndPrivate() throws IOException {
    RotatingLogHandler handler = new RotatingLogHandler(directory.resolve("a.log"), 1000, 3);
    log(handler, 500);
    handler.close();
    assertEquals(Set.of("a.log", "a.log.1", "a.log.2"), files());
    for (String name : files()) {
      Path file = directory.resolve(name);
      assertTrue(Files.size(file) <= 1000);
      assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    }
    assertTrue(Files.readString(directory.resolve("a.log")).endsWith(" INFO line 499\n"));
  }

  @Test
  void logIsContinuedAfterARestart() throws IOException {
    for (int i = 0; i < 2; i++) {
      RotatingLogHandler handler = new RotatingLogHandler(directory.resolve("a.log"), 1000, 3);
      log(handler, 2);
      handler.close();
    }
    assertEquals(4, Files.readAllLines(directory.resolve("a.log")).size());
    assertEquals(Set.of("a.log"), files());
  }

  @Test
  void closedLogIsSilent() throws IOException {
    RotatingLogHandler handler = new RotatingLogHandler(directory.resolve("a.log"), 1000, 3);
    handler.close();
    log(handler, 1);
    assertEquals(0, Files.size(directory.resolve("a.log")));
  }
}
