package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** The commands on snapshots and datasets, while the pool is mounted. */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
final class HistoryCommandsMountTest {
  @TempDir private Path directory;
  private MountedPool mounted;

  /** Mount points beside that of {@link #mounted}. */
  private final List<Path> others = new ArrayList<>();

  @BeforeEach
  void mount() throws IOException {
    directory = directory.toRealPath();
    mounted = MountedPool.create(directory);
  }

  @AfterEach
  void unmount() throws IOException {
    for (Path other : others) {
      MountedPool.cowfs("umount", other.toString());
    }
    mounted.close();
  }

  private String pool(String rest) {
    return mounted.pool() + rest;
  }

  private Path mountOther(String dataset) throws IOException {
    Path other = Files.createDirectories(directory.resolve("mnt-" + dataset.replace('/', '-')));
    others.add(other);
    mounted.succeed("mount", pool("/" + dataset), other.toString());
    return other;
  }

  private static void assertFails(String message, String... arguments) throws IOException {
    Program.Result result = MountedPool.cowfs(arguments).expectExit(1);
    assertEquals("", result.output(), result.toString());
    assertTrue(result.errors().startsWith("cowfs: "), result.toString());
    assertTrue(result.errors().contains(message), result.toString());
    assertEquals(1, result.errors().lines().count(), result.toString());
  }

  @Test
  void cloneOfAMountedDatasetIsMountedBesideIt() throws IOException {
    Files.writeString(mounted.path("file"), "first");
    mounted.succeed("snapshot", mounted.root() + "@one");
    Files.writeString(mounted.path("file"), "second");
    mounted.succeed("clone", mounted.root() + "@one", pool("/trial"));
    Path trial = mountOther("trial");
    assertEquals("first", Files.readString(trial.resolve("file")));
    Files.writeString(trial.resolve("file"), "third");
    mounted.succeed("destroy", mounted.root() + "@one");
    assertEquals("second", Files.readString(mounted.path("file")));
    assertEquals("third", Files.readString(trial.resolve("file")));
    assertFails("mounted", "destroy", pool("/trial"));
    assertFails("mounted", "rename", pool("/trial"), pool("/other"));
    mounted.succeed("umount", trial.toString());
    mounted.succeed("rename", pool("/trial"), pool("/other"));
    assertEquals("third", Files.readString(mountOther("other").resolve("file")));
    assertEquals("no errors found\n", mounted.succeed("check", mounted.root().toString()));
  }

  @Test
  void commandsAreNotRefusedForWhatAWriterCouldNotWrite() throws IOException {
    Files.writeString(mounted.path("file"), "before");
    mounted.succeed("set", mounted.root().toString(), "quota=4M");
    Program.Result writer =
        Program.run(
            mounted.root(), List.of("dd", "if=/dev/urandom", "of=large", "bs=1M", "count=32"));
    assertTrue(writer.errors().contains("No space left on device"), writer.toString());
    // What was refused at once may leave room for less: until nothing is left at all.
    String[] filling = {"dd", "if=/dev/urandom", "of=rest", "bs=4k", "count=2000", "oflag=sync"};
    Program.run(mounted.root(), List.of(filling));
    Program.Result maker = Program.run(mounted.root(), List.of("mkdir", "directory"));
    assertTrue(maker.errors().contains("Disk quota exceeded"), maker.toString());
    mounted.succeed("snapshot", mounted.root() + "@one");
    mounted.succeed("rollback", mounted.root() + "@one");
    assertEquals("before", Files.readString(mounted.path("file")));
  }

  /** The kernel writes back what they have written in many requests at the same time. */
  @Test
  void writersAtTheSameTimeStayWithinTheQuota() throws IOException {
    mounted.succeed("set", mounted.root().toString(), "quota=4M");
    String writers =
        "for i in 1 2 3 4; do dd if=/dev/urandom of=large$i bs=1M count=8 & done; wait; sync -f .";
    Program.Result written = Program.run(mounted.root(), List.of("sh", "-c", writers));
    assertTrue(written.errors().contains("No space left on device"), written.toString());
    Program.Result used = Program.run(mounted.root(), List.of("du", "-s", "--block-size=1", "."));
    long bytes = Long.parseLong(used.output().split("\\s")[0]);
    assertTrue(bytes > 2 << 20 && bytes <= 4 << 20, used.toString());
    Program.run(mounted.root(), List.of("sh", "-c", "rm large*"));
    Files.write(mounted.path("again"), new byte[2 << 20]);
    Program.Result synced = Program.run(mounted.root(), List.of("sync", "again"));
    assertEquals(0, synced.exitCode(), synced.toString());
  }

  @Test
  void recursiveSnapshotHasWhatTheKernelHeldBackOfEachMount() throws IOException {
    mounted.succeed("create", pool("/a"));
    mounted.succeed("create", pool("/a/b"));
    Path a = mountOther("a");
    Path b = mountOther("a/b");
    Files.writeString(a.resolve("file"), "of a");
    Files.writeString(b.resolve("file"), "of b");
    mounted.succeed("snapshot", "-r", a + "@both");
    Files.writeString(a.resolve("file"), "later");
    Files.writeString(b.resolve("file"), "later");
    mounted.succeed("rollback", pool("/a@both"));
    mounted.succeed("rollback", b + "@both");
    assertEquals("of a", Files.readString(a.resolve("file")));
    assertEquals("of b", Files.readString(b.resolve("file")));
  }

  @Test
  void dryRunListsWhatRollbackWouldChange() throws IOException {
    Files.createDirectory(mounted.path("docs"));
    Files.writeString(mounted.path("docs/kept"), "kept");
    Files.writeString(mounted.path("docs/gone"), "gone");
    mounted.succeed("snapshot", mounted.root() + "@one");
    Files.delete(mounted.path("docs/gone"));
    Files.writeString(mounted.path("docs/kept"), "changed");
    Files.writeString(mounted.path("new"), "new");
    String all = "+ /docs/gone\nM /docs/kept\n- /new\n";
    assertEquals(all, mounted.succeed("rollback", "-n", mounted.root() + "@one"));
    assertEquals(
        "+ /docs/gone\nM /docs/kept\n",
        mounted.succeed("rollback", "-n", "--path", "docs", mounted.root() + "@one"));
    assertEquals(
        "- /new\n",
        mounted.succeed("rollback", "-n", "--path", mounted.path("new").toString(), pool("@one")));
    assertTrue(Files.exists(mounted.path("new")));
    mounted.succeed("rollback", mounted.root() + "@one");
    assertEquals("", mounted.succeed("rollback", "-n", mounted.root() + "@one"));
    assertEquals("gone", Files.readString(mounted.path("docs/gone")));
  }

  @Test
  void undoAndItsUndoing() throws IOException {
    Files.writeString(mounted.path("file"), "before");
    mounted.succeed("snapshot", mounted.root() + "@one");
    MountedPool.pause(1100);
    Files.writeString(mounted.path("file"), "after");
    String said = mounted.succeed("undo", mounted.root().toString(), "1s");
    assertEquals("before", Files.readString(mounted.path("file")));
    String kept = said.substring(said.indexOf("cowfs rollback ") + 15).strip();
    mounted.succeed("rollback", kept);
    assertEquals("after", Files.readString(mounted.path("file")));
    assertFails("root", "undo", mounted.root().toString(), "1w");
  }

  @Test
  void allDatasetsWithAMountPointAreMountedByOneProcess() throws IOException {
    Path a = directory.resolve("a");
    Path b = directory.resolve("b");
    others.addAll(List.of(a, b));
    mounted.succeed("create", "-o", "mountpoint=" + a, pool("/a"));
    mounted.succeed("create", "-o", "mountpoint=" + b, pool("/a/b"));
    mounted.succeed("create", pool("/c"));
    mounted.unmount();
    assertFalse(Files.exists(a));
    Program.Result refused = MountedPool.cowfs("mount", "-a", pool("")).expectExit(1);
    assertEquals(2, refused.errors().lines().count(), refused.toString());
    Files.createDirectory(a);
    Files.createDirectory(b);
    assertEquals("a at " + a + "\na/b at " + b + "\n", mounted.succeed("mount", "-a", pool("")));
    assertEquals("", mounted.succeed("mount", "-a", pool("")));
    Files.writeString(a.resolve("file"), "of a");
    Files.writeString(b.resolve("file"), "of b");
    assertEquals(
        2, mounted.succeed("status", b.toString()).lines().filter(l -> l.contains(" at ")).count());
    mounted.succeed("umount", pool(""));
    assertEquals("a at " + a + "\na/b at " + b + "\n", mounted.succeed("mount", "--all", pool("")));
    assertEquals("of b", Files.readString(b.resolve("file")));
    mounted.succeed("umount", a.toString());
    assertEquals("a at " + a + "\n", mounted.succeed("mount", "-a", pool("")));
  }

  @Test
  void heldSnapshotOutlivesADestructionOfAll() throws IOException {
    for (String name : List.of("a", "b", "c")) {
      mounted.succeed("snapshot", mounted.root() + "@" + name);
    }
    mounted.succeed("hold", mounted.root() + "@b", "test");
    assertFails("held", "destroy", mounted.root() + "@*");
    mounted.succeed("destroy", mounted.root() + "@a,c");
    mounted.succeed("release", pool("@b"), "test");
    assertTrue(
        mounted
            .succeed("destroy", "-v", mounted.root() + "@*")
            .startsWith("destroyed root@b\nfrees "));
  }
}
