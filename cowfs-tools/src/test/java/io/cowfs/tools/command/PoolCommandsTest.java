package io.cowfs.tools.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.tools.client.ClientRunner;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The commands on a real pool that is not mounted. */
@Timeout(120)
class PoolCommandsTest {
  @TempDir private Path base;

  private record Result(int code, String out, String err) {}

  private Result run(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    ClientRunner runner =
        new ClientRunner(base, OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
    int code = CowfsCommand.run(arguments, runner, new PrintWriter(out), new PrintWriter(err));
    return new Result(code, out.toString(), err.toString());
  }

  private void assertDone(String... arguments) {
    Result result = run(arguments);
    assertEquals(0, result.code(), result.err());
    assertEquals("", result.err());
  }

  private void assertFailed(String expected, String... arguments) {
    Result result = run(arguments);
    assertEquals(1, result.code());
    assertEquals("", result.out());
    assertTrue(result.err().startsWith("cowfs: "), result.err());
    assertEquals(result.err().length() - 1, result.err().indexOf('\n'), result.err());
    assertTrue(result.err().contains(expected), result.err());
  }

  private String names() {
    StringBuilder names = new StringBuilder();
    run("list", "-H", "pool")
        .out()
        .lines()
        .forEach(l -> names.append(l, 0, l.indexOf('\t')).append(' '));
    return names.toString().strip();
  }

  @BeforeEach
  void init() {
    assertDone("init", "pool");
  }

  @Test
  void newPoolHasOneEmptyDataset() throws IOException {
    assertEquals("root", names());
    assertEquals(
        "rwx------",
        java.nio.file.attribute.PosixFilePermissions.toString(
            Files.getPosixFilePermissions(base.resolve("pool"))));
    assertTrue(run("status", "pool").out().contains("active"));
  }

  @Test
  void statusIsExactOnRequest() {
    String exact = run("status", "-p", "pool").out();
    assertTrue(
        exact.matches("(?s).*\\nused: +[0-9]{4,}\\nfreeing: +[0-9]+\\ndirty: +0\\n.*"), exact);
  }

  @Test
  void datasetsAndSnapshotsComeAndGo() {
    assertDone("create", "pool/home");
    assertDone("create", "pool/home/anna");
    assertDone("snapshot", "pool@one");
    assertDone("snapshot", "pool/home/anna@one");
    assertEquals("home home/anna home/anna@one root root@one", names());
    assertFailed("home", "destroy", "pool/home");
    assertFailed("anna", "destroy", "pool/home/anna");
    assertDone("destroy", "-r", "pool/home/anna");
    assertDone("destroy", "pool/home");
    assertDone("destroy", "pool@one");
    assertEquals("root", names());
  }

  @Test
  void rollbackKeepsWhatWasBefore() {
    assertDone("snapshot", "pool@one");
    Result result = run("rollback", "pool@one");
    assertEquals(0, result.code());
    String kept = result.out().replaceFirst("^the state before is kept as (\\S+)\n$", "$1");
    assertTrue(names().contains(kept), result.out());
  }

  @Test
  void listShowsWhatIsNamed() {
    assertDone("create", "pool/home");
    assertDone("snapshot", "pool/home@one");
    assertEquals(2, run("list", "-H", "pool/home").out().lines().count());
    assertEquals(1, run("list", "-H", "pool/home@one").out().lines().count());
    assertFailed("home@two", "list", "pool/home@two");
    assertFailed("nope", "list", "pool/nope");
  }

  @Test
  void badInputIsOneClearLine() {
    assertDone("snapshot", "pool@one");
    assertFailed("one", "snapshot", "pool@one");
    assertFailed("nope", "snapshot", "pool/nope@x");
    assertFailed("nope", "rollback", "pool@nope");
    assertFailed("nope", "destroy", "pool@nope");
    assertFailed("-bad", "snapshot", "pool@-bad");
    assertFailed("b?d", "create", "pool/b\u0001d");
    assertFailed("name", "create", "pool/" + "x".repeat(300));
    assertFailed("no snapshot named", "snapshot", "pool");
    assertFailed("no dataset named", "create", "pool");
    assertFailed("no dataset or snapshot named", "destroy", "pool");
    assertFailed("sync takes no snapshot", "sync", "pool@one");
    assertFailed("not mounted", "umount", "pool");
    assertFailed("no such file", "list", "elsewhere");
    assertFailed("no cowfs pool", "list", base.toString());
    assertEquals("root root@one", names());
  }

  @Test
  void mountPointMustBeAFreeDirectory() throws IOException {
    Files.createFile(base.resolve("file"));
    assertFailed("no such file", "mount", "pool", "absent");
    assertFailed("not a directory", "mount", "pool", "file");
    assertFailed("inside of itself", "mount", "pool", "pool/index");
    assertFailed("inside of itself", "mount", "pool", ".");
    assertFailed("no such file", "mount", "absent", ".");
    assertFailed("mounted there", "mount", "pool", "/proc");
  }

  @Test
  void initRefusesWhatIsThere() throws IOException {
    assertFailed("pool", "init", "pool");
    Files.createDirectory(base.resolve("full"));
    Files.createFile(base.resolve("full/file"));
    assertFailed("full", "init", "full");
    assertTrue(Files.exists(base.resolve("full/file")));
  }

  @Test
  void truncatedPoolIsRefusedByName() throws IOException {
    try (var data =
        java.nio.channels.FileChannel.open(
            base.resolve("pool/data"), java.nio.file.StandardOpenOption.WRITE)) {
      data.truncate(100);
    }
    assertFailed("pool/data", "list", "pool");
  }
}
