package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code scripts/install}, below a prefix with a blank in its name. */
final class InstallTest {
  @TempDir private Path directory;

  private Path prefix() {
    return directory.resolve("a prefix");
  }

  private Path helpers() {
    return directory.resolve("helpers");
  }

  private Program.Result install(String... more) throws IOException {
    List<String> arguments =
        Stream.concat(
                Stream.of("--prefix", prefix().toString(), "--helpers", helpers().toString()),
                Stream.of(more))
            .toList();
    return Installation.script(directory, arguments);
  }

  private List<String> everything() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.map(file -> directory.relativize(file).toString()).sorted().toList();
    }
  }

  @Test
  void theInstalledCommandRunsWithoutPathOrHome() throws IOException {
    install().expectExit(0);
    String command = prefix().resolve("bin/cowfs").toString();
    for (String path : List.of("PATH=/nowhere", "PATH=")) {
      String version =
          Program.succeed(
              Path.of("/"), "/usr/bin/env", "-u", "HOME", "-u", "JAVA_HOME", path, command, "-V");
      assertTrue(version.startsWith("cowfs "), version);
    }
    String pool = directory.resolve("pool").toString();
    Program.succeed(Path.of("/"), command, "init", pool);
    assertTrue(Program.succeed(Path.of("/"), command, "list", pool).contains("root"));
  }

  @Test
  void installingAgainReplacesAndUninstallingLeavesNothing() throws IOException {
    install("--uninstall").expectExit(1);
    List<String> before = everything();
    install().expectExit(0);
    List<String> installed = everything();
    assertTrue(installed.containsAll(List.of("a prefix/bin/cowfs", "helpers/mount.fuse.cowfs")));
    Files.writeString(prefix().resolve("lib/cowfs/left-over"), "of an older version");
    install().expectExit(0);
    assertEquals(installed, everything());
    install("--uninstall").expectExit(0);
    List<String> left = everything();
    for (String file : List.of("a prefix/lib", "a prefix/bin", "a prefix", "helpers")) {
      assertTrue(left.contains(file));
      Files.delete(directory.resolve(file));
    }
    assertEquals(before, everything());
    Program.Result again = install("--uninstall").expectExit(1);
    assertTrue(again.errors().contains("nothing is installed below"), again::toString);
  }

  @Test
  void whatIsSomebodyElsesIsNotTouched() throws IOException {
    Path program = prefix().resolve("lib/cowfs/program");
    Path command = prefix().resolve("bin/cowfs");
    Path helper = helpers().resolve("mount.fuse.cowfs");
    for (Path file : List.of(program, command, helper)) {
      Files.createDirectories(file.getParent());
      Files.writeString(file, "precious");
      for (Program.Result refused : List.of(install(), install("--uninstall"))) {
        refused.expectExit(1);
        assertTrue(refused.errors().contains("is something else: not touched"), refused::toString);
        assertEquals("precious", Files.readString(file));
      }
      Files.delete(file);
      if (file.equals(program)) {
        Files.delete(program.getParent());
      }
    }
    assertFalse(Files.exists(prefix().resolve("lib/cowfs")));
  }

  @Test
  void withoutHelpersNoneAreMade() throws IOException {
    List<String> arguments = List.of("--prefix", prefix().toString(), "--no-helpers");
    Installation.script(directory, arguments).expectExit(0);
    assertTrue(Files.isExecutable(prefix().resolve("bin/cowfs")));
    assertFalse(Files.exists(helpers()));
    Program.Result wrong = install("--nonsense").expectExit(2);
    assertTrue(wrong.errors().contains("--nonsense"), wrong::toString);
  }
}
