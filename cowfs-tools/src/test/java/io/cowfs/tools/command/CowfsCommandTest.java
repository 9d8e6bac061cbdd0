package io.cowfs.tools.command;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class CowfsCommandTest {
  private static final Set<String> VERBS =
      new TreeSet<>(
          List.of(
              "init",
              "mount",
              "umount",
              "snapshot",
              "list",
              "rollback",
              "destroy",
              "diff",
              "create",
              "sync",
              "status",
              "help"));

  /** Fails every command with an error that is given. */
  private record Failing(IOException error) implements CommandRunner {
    @Override
    public int init(InitCommand command) throws IOException {
      throw error;
    }

    @Override
    public int run(PoolCommand command) throws IOException {
      throw error;
    }

    @Override
    public int mount(MountCommand command) throws IOException {
      throw error;
    }

    @Override
    public int unmount(UmountCommand command) throws IOException {
      throw error;
    }
  }

  private record Result(int code, String out, String err) {}

  private static Result run(IOException error, String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code =
        CowfsCommand.run(arguments, new Failing(error), new PrintWriter(out), new PrintWriter(err));
    return new Result(code, out.toString(), err.toString());
  }

  private static Result run(String... arguments) {
    return run(new IOException("not here"), arguments);
  }

  @Test
  void helpListsEveryVerb() {
    CommandLine parser = CowfsCommand.parser(new Failing(null), "");
    Set<String> shown = new TreeSet<>();
    parser
        .getSubcommands()
        .forEach(
            (name, command) -> {
              if (!command.getCommandSpec().usageMessage().hidden()) {
                shown.add(name);
              }
            });
    assertEquals(VERBS, shown);
    assertTrue(run("--help").out().contains("snapshot"));
  }

  @Test
  void helpOfEveryVerbHasAnExample() {
    assertAll(
        VERBS.stream()
            .filter(verb -> !verb.equals("help"))
            .map(
                verb ->
                    () -> {
                      Result help = run(verb, "--help");
                      assertEquals(0, help.code());
                      assertTrue(help.out().contains("  cowfs " + verb + " "), help.out());
                      assertEquals(help, run("help", verb));
                      assertEquals(help, run(verb, "-h"));
                    }));
  }

  @Test
  void versionIsThatOfTheBuild() {
    Result version = run("--version");
    assertEquals(0, version.code());
    assertTrue(version.out().matches("(?s)cowfs [0-9]+[.].*Java .*"), version.out());
  }

  @Test
  void wrongUsageIsExitCode2() {
    for (List<String> arguments :
        List.of(
            List.<String>of(),
            List.of("frobnicate"),
            List.of("list"),
            List.of("list", "-x", "p"),
            List.of("list", "-H", "--json", "p"),
            List.of("list", "a", "b"),
            List.of("mount", "p"),
            List.of("init", "--size", "big", "p"),
            List.of("init", "--compression", "zip", "p"),
            List.of("init", "--compression", "zstd-99", "p"))) {
      Result result = run(arguments.toArray(String[]::new));
      assertEquals(2, result.code(), arguments.toString());
      assertTrue(result.err().startsWith("cowfs: "), result.err());
      assertEquals("", result.out());
    }
  }

  @Test
  void failureIsOneLineAndExitCode1() {
    assertEquals(
        new Result(1, "", "cowfs: /p: is odd\n"), run(new IOException("/p: is odd"), "list", "/p"));
    assertEquals(
        new Result(1, "", "cowfs: /p: no such file or directory\n"),
        run(new NoSuchFileException("/p"), "umount", "/p"));
    assertEquals(
        new Result(1, "", "cowfs: two lines ?[0m\n"),
        run(new IOException("two\nlines \u001b[0m"), "sync", "/p"));
  }

  @Test
  void atSignsAreNoArgumentFiles() {
    assertEquals(1, run("list", "@monday").code());
  }

  @Test
  void mountOptionsMayBeListedOrRepeated() throws IOException {
    CommandLine parser = CowfsCommand.parser(new Failing(null), "mount");
    parser.parseArgs("mount", "-o", "ro,nodev", "-o", "writeback=off", "--create", "p", "d");
    MountCommand command = parser.getSubcommands().get("mount").getCommand();
    PoolSession.MountRequest request =
        command.request(
            io.cowfs.tools.target.Target.ofPool(java.nio.file.Path.of("/p")),
            java.nio.file.Path.of("/d"));
    assertEquals(List.of("ro", "nodev", "writeback=off"), request.options());
    assertEquals(
        List.of(
            "mount",
            "--create",
            "-o",
            "ro",
            "-o",
            "nodev",
            "-o",
            "writeback=off",
            "--",
            "/p",
            "/d"),
        MountCommand.arguments(java.nio.file.Path.of("/p"), request));
  }
}
