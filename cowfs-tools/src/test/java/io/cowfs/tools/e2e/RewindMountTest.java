package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** A pool is brought back to one of its last commits by the installed program. */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
final class RewindMountTest {
  @TempDir private Path directory;

  @Test
  void aPoolGoesBackToAnOlderCommitAndForthAgain() throws IOException {
    try (MountedPool mounted = MountedPool.create(directory)) {
      String pool = mounted.pool().toString();
      Trees.make(mounted.path("tree"), 7, 60);
      mounted.succeed("snapshot", pool + "@first");
      mounted.succeed("create", pool + "/other");
      assertRefused("mounted", "rewind", "--list", pool);
      assertRefused("mounted", "rewind", "--to", "5", pool);
      List<String> then = Trees.listing(mounted.path("tree"));
      mounted.unmount();
      String list = mounted.succeed("list", "-H", "-p", pool);
      long txg = newestTxg(mounted);
      mounted.succeed("snapshot", pool + "@second");
      long newest = newestTxg(mounted);
      assertTrue(newest > txg);

      String wouldBe = mounted.succeed("rewind", "--dry-run", "--to", Long.toString(txg), pool);
      assertTrue(wouldBe.contains("would lose root@second\n"), wouldBe);
      assertEquals(newest, newestTxg(mounted), "nothing was done");

      String done = mounted.succeed("rewind", "--to", Long.toString(txg), pool);
      assertTrue(done.contains("lost: root@second\n"), done);
      assertTrue(done.contains("cowfs rewind --to " + newest + " " + pool), done);
      assertEquals("no errors found\n", mounted.succeed("check", pool));
      assertEquals(newest + 1, newestTxg(mounted));

      String undone = mounted.succeed("rewind", "--to", Long.toString(newest), pool);
      assertTrue(undone.contains("back: root@second\n"), undone);
      assertEquals("no errors found\n", mounted.succeed("check", pool));
      mounted.succeed("rewind", "--to", Long.toString(newest + 1), pool);
      assertEquals("no errors found\n", mounted.succeed("check", pool));
      assertEquals(list, mounted.succeed("list", "-H", "-p", pool));
      mounted.mount();
      Trees.assertSame(then, Trees.listing(mounted.path("tree")));
      Trees.assertSame(then, Trees.listing(mounted.path(".cowfs/snapshot/first/tree")));
      Files.writeString(mounted.path("more"), "can be written");
      mounted.unmount();
      assertEquals("no errors found\n", mounted.succeed("check", pool));
    }
  }

  @Test
  void wrongInputIsOneLine() throws IOException {
    try (MountedPool mounted = MountedPool.create(directory)) {
      String pool = mounted.pool().toString();
      mounted.unmount();
      assertRefused("no root record of commit 99999", "rewind", "--to", "99999", pool);
      assertRefused("is the newest one", "rewind", "--to", Long.toString(newestTxg(mounted)), pool);
      assertRefused("no-such", "rewind", "--list", directory.resolve("no-such").toString());
      for (List<String> wrong :
          List.of(
              List.of("rewind", pool),
              List.of("rewind", "--list", "--to", "5", pool),
              List.of("rewind", "--list", "--dry-run", pool),
              List.of("rewind", "-H", "--to", "5", pool),
              List.of("rewind", "--to", "last", pool),
              List.of("rewind", "--list", pool + "/root"),
              List.of("rewind", "--list", pool + "@first"))) {
        Program.Result result = MountedPool.cowfs(wrong.toArray(String[]::new));
        assertEquals(2, result.exitCode(), () -> wrong + ": " + result);
        assertTrue(result.errors().startsWith("cowfs: "), () -> wrong + ": " + result);
      }
    }
  }

  private static long newestTxg(MountedPool mounted) throws IOException {
    String list = mounted.succeed("rewind", "--list", "-H", mounted.pool().toString());
    String[] newest = list.lines().findFirst().orElseThrow().split("\t");
    assertEquals("whole", newest[2], list);
    return Long.parseLong(newest[0]);
  }

  private static void assertRefused(String what, String... arguments) throws IOException {
    Program.Result refused = MountedPool.cowfs(arguments);
    assertEquals(1, refused.exitCode(), refused::toString);
    assertEquals(1, refused.errors().lines().count(), refused::toString);
    assertTrue(refused.errors().startsWith("cowfs: "), refused::toString);
    assertTrue(refused.errors().contains(what), refused::toString);
  }
}
