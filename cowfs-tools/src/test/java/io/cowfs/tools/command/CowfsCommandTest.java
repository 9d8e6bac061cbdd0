package io.cowfs.tools.command;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.dataset.DatasetProperty;
import io.cowfs.fuse.kernel.Transport;
import io.cowfs.tools.target.Target;
import io.cowfs.tools.target.UsageException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Proxy;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
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
              "detach",
              "diff",
              "create",
              "clone",
              "diff",
              "rename",
              "undo",
              "hold",
              "release",
              "holds",
              "get",
              "set",
              "inherit",
              "space",
              "frag",
              "defrag",
              "attach",
              "replace",
              "check",
              "scrub",
              "rewind",
              "offline",
              "online",
              "prune",
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
    public int rewind(RewindCommand command) throws IOException {
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
    public int mountForSystem(MountHelperCommand helper) throws IOException {
      throw error;
    }

    @Override
    public int unmount(UmountCommand command) throws IOException {
      throw error;
    }
  }

  private record Result(int code, String out, String err) {}

  /** Has commands executed on a session. */
  private record Executing(PoolSession session, Target target) implements CommandRunner {
    @Override
    public int init(InitCommand command) {
      throw new AssertionError("not asked for");
    }

    @Override
    public int rewind(RewindCommand command) {
      throw new AssertionError("not asked for");
    }

    @Override
    public int run(PoolCommand command) throws IOException {
      command.execute(session, target, command.out());
      return 0;
    }

    @Override
    public int mount(MountCommand command) {
      throw new AssertionError("not asked for");
    }

    @Override
    public int mountForSystem(MountHelperCommand helper) {
      throw new AssertionError("not asked for");
    }

    @Override
    public int unmount(UmountCommand command) {
      throw new AssertionError("not asked for");
    }
  }

  /** A session that answers {@code check} only. */
  private static PoolSession checking(List<String> findings) {
    return (PoolSession)
        Proxy.newProxyInstance(
            CowfsCommandTest.class.getClassLoader(),
            new Class<?>[] {PoolSession.class},
            (proxy, method, arguments) -> {
              assertEquals("check", method.getName());
              return findings;
            });
  }

  private static Result check(List<String> findings) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code =
        CowfsCommand.run(
            new String[] {"check", "p"},
            new Executing(checking(findings), Target.ofPool(Path.of("/p"))),
            new PrintWriter(out),
            new PrintWriter(err));
    return new Result(code, out.toString(), err.toString());
  }

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
    String help = run("--help").out();
    VERBS.stream()
        .filter(verb -> !verb.equals("help"))
        .forEach(verb -> assertTrue(help.contains("\n  " + verb + " "), verb));
    assertFalse(help.contains("mountpoints"), help);
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
            List.of("mount", "-a", "p", "d"),
            List.of("mount", "-a", "--foreground", "p"),
            List.of("clone", "p@x"),
            List.of("rename", "p@x"),
            List.of("hold", "p@x"),
            List.of("release", "p@x", "a", "b"),
            List.of("set", "p"),
            List.of("set", "p", "compression"),
            List.of("create", "-o", "compression", "p/x"),
            List.of("inherit", "p"),
            List.of("undo", "p"),
            List.of("undo", "p", "soon"),
            List.of("space", "--bytes", "--json", "p"),
            List.of("check"),
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
  void wrongUsageIsSaidInTheWordsOfTheUser() {
    assertUsage("no command 'bogus'", "bogus");
    assertUsage("no command 'snapshoot': did you mean 'snapshot'?", "snapshoot", "p@x");
    assertUsage("unknown option '--jsno': did you mean '--json'?", "list", "--jsno", "p");
    assertUsage("unexpected 'x'", "create", "p/a", "x");
    assertUsage("is missing", "mount");
    assertUsage("'b' sets no property", "set", "p", "b");
    assertUsage("--size: 'big' is no size", "init", "--size", "big", "p");
    assertUsage("cowfs: -H, --json are mutually exclusive", "list", "-H", "--json", "p");
    assertUsage("cowfs: no such verb", run(new UsageException("no such verb"), "list", "p"));
  }

  private static void assertUsage(String expected, String... arguments) {
    assertUsage(expected, run(arguments));
  }

  private static void assertUsage(String expected, Result result) {
    assertEquals(2, result.code());
    assertTrue(result.err().contains(expected), result.err());
    assertFalse(result.err().contains("index"), result.err());
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
  void checkFailsWhenSomethingIsFound() {
    assertEquals(new Result(0, "no errors found\n", ""), check(List.of()));
    assertEquals(
        new Result(1, "space/leaked: 3 sectors\n", "cowfs: 1 finding\n"),
        check(List.of("space/leaked: 3 sectors")));
    assertEquals(
        new Result(1, "a/b: c\nd/e: f?\n", "cowfs: 2 findings\n"),
        check(List.of("a/b: c", "d/e: f\u001b")));
  }

  @Test
  void helpOfSetListsEveryProperty() {
    String help = run("help", "set").out();
    for (DatasetProperty property : DatasetProperty.values()) {
      assertTrue(help.contains("\n  " + property.text() + " "), help);
      assertTrue(help.contains("(" + property.defaultValue()), help);
    }
  }

  @Test
  void helpIsNoWiderThanATerminal() {
    for (String verb : VERBS) {
      run("help", verb).out().lines().forEach(line -> assertTrue(line.length() <= 80, line));
    }
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
    PoolSession.MountRequest request = command.request(Target.ofPool(Path.of("/p")), Path.of("/d"));
    assertEquals(List.of("ro", "nodev", "writeback=off"), request.options());
    assertEquals(
        List.of(
            "mount",
            "--create",
            "--transport=" + Transport.preferred(),
            "-o",
            "ro",
            "-o",
            "nodev",
            "-o",
            "writeback=off",
            "--",
            "/p",
            "/d"),
        MountCommand.arguments(Path.of("/p"), request));
  }

  @Test
  void aTransportIsChosenByItsName() throws IOException {
    CommandLine parser = CowfsCommand.parser(new Failing(null), "mount");
    parser.parseArgs("mount", "--transport=libfuse", "p", "d");
    MountCommand command = parser.getSubcommands().get("mount").getCommand();
    PoolSession.MountRequest request = command.request(Target.ofPool(Path.of("/p")), Path.of("/d"));
    assertEquals(Transport.LIBFUSE, request.transport());
    assertEquals(
        List.of("mount", "--transport=libfuse", "--", "/p", "/d"),
        MountCommand.arguments(Path.of("/p"), request));
    assertEquals(
        "cowfs: --transport: 'nfs' is no transport: kernel or libfuse",
        run("mount", "--transport=nfs", "p", "d").err().lines().findFirst().orElse(""));
  }
}
