package io.cowfs.tools.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.tools.client.ClientRunner;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
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

  private void assertMisused(String expected, String... arguments) {
    Result result = run(arguments);
    assertEquals(2, result.code());
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
  void aPoolThatOthersCanWriteToIsNotOpened() throws IOException {
    Path pool = base.resolve("pool");
    for (String open : List.of("rwx-w----", "rwxrwxr-x", "rwxr-xrwx", "rwx----w-")) {
      permit(pool, open);
      refusedAsOpen(pool);
    }
    permit(pool, "rwxr-x---");
    for (Path file : List.of(pool.resolve("data"), pool.resolve("index"))) {
      permit(file, "rwxrw----");
      refusedAsOpen(file);
      permit(file, "rwxr--r-x");
    }
    permit(pool.resolve("data"), "rw-rw-rw-");
    permit(pool, "rwx------");
    assertEquals("root", names());
  }

  private static void permit(Path file, String permissions) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
  }

  private void refusedAsOpen(Path file) {
    String reason = ": others than its owner can write there: use 'chmod go-w " + file + "'";
    assertFailed(reason, "list", "pool");
    assertFailed(reason, "check", "pool");
    assertFailed(reason, "check", "--rebuild-index", "pool");
  }

  @Test
  void statusIsExactOnRequest() {
    String exact = run("status", "-p", "pool").out();
    assertTrue(
        exact.matches(
            "(?s).*\\nused: +[0-9]{4,}\\nfreeing: +[0-9]+\\ndestroying: +0\\ndirty: +0\\n.*"),
        exact);
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
    assertDone("create", "pool/home/bert");
    assertDone("destroy", "-r", "pool/home");
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

  private String output(String... arguments) {
    Result result = run(arguments);
    assertEquals(0, result.code(), result.err());
    return result.out();
  }

  @Test
  void cloneIsADatasetOfItsOwn() {
    assertDone("snapshot", "pool@one");
    assertDone("clone", "-o", "readonly=on", "pool@one", "pool/trial");
    assertDone("clone", "pool@one", "pool/trial/two");
    assertDone("destroy", "pool@one");
    assertEquals("root trial trial/two", names());
    assertEquals("trial\treadonly\ton\tlocal\n", output("get", "-H", "pool/trial", "readonly"));
    assertDone("snapshot", "pool@one");
    assertFailed("trial", "clone", "pool@one", "pool/trial");
    assertFailed("absent", "clone", "pool@one", "pool/absent/x");
    assertMisused("no snapshot named", "clone", "pool", "pool/x");
    assertMisused("no new name given", "clone", "pool@one", "pool");
    assertFailed("nope", "clone", "-o", "nope=1", "pool@one", "pool/x");
    assertDone("init", "other");
    assertFailed("from one pool to another", "clone", "pool@one", "other/x");
    assertFailed("from one pool to another", "rename", "pool@one", "other@x");
    assertEquals("root root@one trial trial/two", names());
  }

  @Test
  void datasetTakesThoseBelowItAlongToANewName() {
    assertDone("create", "pool/home");
    assertDone("create", "pool/home/anna");
    assertDone("snapshot", "-r", "pool/home@one");
    assertDone("rename", "pool/home", "pool/people");
    assertEquals("people people@one people/anna people/anna@one root", names());
    assertFailed("root", "rename", "pool/people", "pool/root");
    assertFailed("people", "rename", "pool/people", "pool/people/anna/deep");
    assertFailed("home", "rename", "pool/home", "pool/x");
    assertMisused("no dataset named", "rename", "pool", "pool/x");
  }

  @Test
  void snapshotIsRenamedInAllWaysOfWritingIt() {
    assertDone("snapshot", "pool@a");
    assertDone("rename", "pool@a", "b");
    assertDone("rename", "pool@b", "@c");
    assertDone("rename", "pool/root@c", "pool@d");
    assertEquals("root root@d", names());
    assertDone("snapshot", "pool@e");
    assertFailed("root@e", "rename", "pool@d", "e");
    assertFailed("nope", "rename", "pool@nope", "f");
    assertFailed("illegal", "rename", "pool@d", "pool@a@b");
    assertFailed("'-f'", "rename", "pool@d", "@-f");
  }

  @Test
  void selectionSaysWhatIsDestroyed() {
    for (String name : List.of("a1", "a2", "a3", "b1", "b2")) {
      assertDone("snapshot", "pool@" + name);
    }
    String plan = output("destroy", "-n", "pool@a*,b1%b2");
    assertTrue(plan.matches("(would destroy root@[ab][123]\n){5}would free [0-9.]+[BK]\n"), plan);
    assertEquals("root root@a1 root@a2 root@a3 root@b1 root@b2", names());
    assertFailed("c", "destroy", "pool@a1,c*");
    assertFailed("c", "destroy", "pool@a1,c");
    assertEquals(5 + 1, names().split(" ", -1).length);
    String done = output("destroy", "-v", "pool@a2%");
    assertTrue(done.startsWith("destroyed root@a2\ndestroyed root@a3\n"), done);
    assertTrue(done.matches("(?s).*\nfrees [0-9.]+[BK] in the background\n"), done);
    assertEquals("root root@a1", names());
    assertEquals("", output("destroy", "pool@*"));
    assertEquals("root", names());
  }

  @Test
  void heldSnapshotStays() {
    assertDone("snapshot", "pool@one");
    assertDone("hold", "pool@one", "backup");
    assertTrue(output("holds", "-H", "pool@one").matches("backup\t[0-9: -]+\n"));
    assertTrue(output("holds", "--json", "pool@one").contains("{\"tag\": \"backup\", \"since\": "));
    assertFailed("backup", "hold", "pool@one", "backup");
    assertFailed("held", "destroy", "pool@one");
    assertFailed("held", "destroy", "pool@*");
    assertFailed("nope", "release", "pool@one", "nope");
    assertDone("release", "pool@one", "backup");
    assertEquals("TAG  SINCE\n", output("holds", "pool@one"));
    assertDone("destroy", "pool@one");
    assertFailed("one", "holds", "pool@one");
  }

  @Test
  void propertiesShowWhereTheyComeFrom() {
    assertDone("create", "-o", "compression=zstd-3", "-o", "user:owner=a = b", "pool/home");
    assertDone("create", "pool/home/anna");
    assertEquals(
        """
        home/anna\tcompression\tzstd-3\tinherited from home
        home/anna\tuser:owner\ta = b\tinherited from home
        home/anna\tatime\trelatime\tdefault
        """,
        output("get", "-H", "pool/home/anna", "compression", "user:owner", "atime"));
    assertFailed("quota", "set", "pool/home", "atime=off", "quota=much");
    assertFailed("frobs", "set", "pool/home", "atime=off", "frobs=1");
    assertFailed("schedule", "set", "pool/home", "snapshot.schedule=sometimes");
    assertFailed("frobs", "get", "pool/home", "frobs");
    assertDone("set", "pool/home", "quota=1G", "user:owner=");
    assertEquals(
        """
        {"name": "home", "properties": [
          {"property": "atime", "value": "relatime", "source": "default"},
          {"property": "quota", "value": "1G", "source": "local"},
          {"property": "user:owner", "value": "", "source": "local"}
        ]}
        """,
        output("get", "--json", "pool/home", "atime", "quota", "user:owner"));
    assertDone("inherit", "pool/home", "compression");
    assertEquals(
        """
        NAME       PROPERTY     VALUE  SOURCE
        home/anna  compression  lz4    inherited from root
        """,
        output("get", "pool/home/anna", "compression"));
    assertDone("snapshot", "pool/home@one");
    assertDone("set", "pool/home@one", "user:why=test");
    assertEquals(
        "home@one\tuser:why\ttest\tlocal\n", output("get", "-H", "pool/home@one", "user:why"));
    assertFailed("compression", "set", "pool/home@one", "compression=none");
  }

  @Test
  void undoSaysHowToUndoIt() {
    assertDone("snapshot", "pool@one");
    String done = output("undo", "pool", "0s");
    assertTrue(
        done.matches(
            "root is what it was at [0-9: -]{19}: root@\\S+\n"
                + "to undo this: cowfs rollback /\\S+/pool/root@before-rollback-\\S+\n"),
        done);
    String again = done.substring(done.indexOf("cowfs rollback ") + 15).strip();
    assertDone("rollback", again);
    assertFailed("root", "undo", "pool", "52w");
    assertMisused("undo takes no snapshot", "undo", "pool@one", "5m");
  }

  @Test
  void rollbackThatDiscardsLeavesNothing() {
    assertDone("snapshot", "pool@one");
    assertEquals("", output("rollback", "--discard", "pool@one"));
    assertEquals("root root@one", names());
    assertFailed("leave out --path", "rollback", "--path", "", "pool@one");
    assertFailed("is on no mount of", "rollback", "--path", "./x", "pool@one");
    assertFailed("'..'", "rollback", "--path", "x/../y", "pool@one");
    assertEquals(2, run("rollback", "--discard", "--path", "x", "pool@one").code());
  }

  @Test
  void checkFindsNothingInAWholePool() {
    assertDone("snapshot", "pool@one");
    assertEquals("no errors found\n", output("check", "pool"));
    assertMisused("check takes no snapshot", "check", "pool@one");
  }

  @Test
  void mountAllNeedsAPoolAndDirectories() {
    assertDone("mount", "-a", "pool");
    assertDone("create", "-o", "mountpoint=" + base.resolve("absent"), "pool/home");
    assertFailed("absent: no such file", "mount", "-a", "pool");
    assertMisused("leave out home", "mount", "-a", "pool/home");
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
    assertMisused("no snapshot named", "snapshot", "pool");
    assertMisused("no dataset named", "create", "pool");
    assertMisused("no dataset or snapshot named", "destroy", "pool");
    assertMisused("sync takes no snapshot", "sync", "pool@one");
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
    Files.createDirectories(base.resolve("full/of"));
    assertFailed("full: not empty", "mount", "pool", "full");
    assertMisused("unknown mount option: foo", "mount", "-o", "foo", "pool", "full");
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
  void initTakesNoDeviceThatIsNone() throws IOException {
    Path file = Files.writeString(base.resolve("precious"), "content");
    assertFailed("precious: not a block device", "init", "--device", "precious", "other");
    assertFailed("not a block device", "init", "--force", "--device", "precious", "other");
    assertFailed("/dev/null: not a block device", "init", "--device", "/dev/null", "other");
    assertFailed("absent: no such device", "init", "--device", "absent", "other");
    assertEquals("content", Files.readString(file));
    assertFalse(Files.exists(base.resolve("other")));
  }

  @Test
  void initRefusesSizesThatNoPoolCanHave() {
    for (String size : List.of("10", "1M", "100T")) {
      Result result = run("init", "--size", size, "other");
      assertEquals(2, result.code());
      assertTrue(result.err().contains("at least 16M, at most 15T"), result.err());
      assertFalse(Files.exists(base.resolve("other")));
    }
    assertDone("init", "--size", "16M", "small");
    assertDone("create", "small/home");
    assertDone("init", "--size", "15T", "large");
  }

  @Test
  void destroyReachesTheSnapshotsOfThatNameBelow() {
    assertDone("create", "pool/home");
    assertDone("snapshot", "-r", "pool@one");
    assertDone("create", "pool/home/anna");
    String trial = run("destroy", "-r", "-n", "pool@one").out();
    assertTrue(trial.contains("would destroy home@one"), trial);
    assertTrue(trial.contains("would destroy root@one"), trial);
    assertDone("hold", "pool/home@one", "tag");
    assertFailed("home@one", "destroy", "-r", "pool@one");
    assertEquals("home home@one home/anna root root@one", names());
    assertDone("release", "pool/home@one", "tag");
    assertDone("destroy", "-r", "pool@one");
    assertEquals("home home/anna root", names());
    assertFailed("one", "destroy", "-r", "pool@one");
  }

  @Test
  void snapshotsAreNotNamedLikeCheckpoints() {
    assertFailed("for checkpoints", "snapshot", "pool@checkpoint-1");
    assertDone("snapshot", "pool@one");
    assertFailed("for checkpoints", "rename", "pool@one", "@checkpoint-1");
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
