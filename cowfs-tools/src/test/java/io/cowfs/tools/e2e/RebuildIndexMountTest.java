package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** A pool whose index is lost or damaged tells the way back, and goes it. */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
final class RebuildIndexMountTest {
  @TempDir private Path directory;

  private interface Damage {
    void apply(Path index) throws IOException;
  }

  @Test
  void aLostOrDamagedIndexIsMadeAnew() throws IOException {
    try (MountedPool mounted = MountedPool.create(directory)) {
      String pool = mounted.pool().toString();
      Trees.make(mounted.path("tree"), 7, 60);
      mounted.succeed("snapshot", pool + "@first");
      mounted.succeed("hold", pool + "@first", "keep");
      mounted.succeed("set", pool, "user:note=kept");
      Trees.delete(mounted.path("tree"));
      Trees.make(mounted.path("tree"), 8, 60);
      mounted.succeed("create", pool + "/other");
      mounted.succeed("snapshot", pool + "@second");
      Program.Result refused = MountedPool.cowfs("check", "--rebuild-index", pool);
      assertEquals(1, refused.exitCode(), refused::toString);
      assertTrue(refused.errors().contains("mounted"), refused::toString);
      List<String> live = Trees.listing(mounted.path("tree"));
      List<String> first = Trees.listing(mounted.path(".cowfs/snapshot/first/tree"));
      mounted.unmount();
      String list = mounted.succeed("list", "-H", "-p", pool);
      String holds = mounted.succeed("holds", pool + "@first");

      byte[] noise = new byte[200_000];
      new Random(3).nextBytes(noise);
      List<Damage> damages =
          List.of(
              Files::delete,
              index -> {
                deleteBackups(index);
                Files.write(index, new byte[0]);
              },
              index -> {
                deleteBackups(index);
                Files.write(index, noise);
              });
      boolean hasBackup = true;
      for (Damage damage : damages) {
        damage.apply(mounted.pool().resolve("index/data.mdb"));
        Program.Result damaged = MountedPool.cowfs("list", pool);
        assertEquals(1, damaged.exitCode(), damaged::toString);
        assertEquals(1, damaged.errors().lines().count(), damaged::toString);
        assertTrue(
            damaged.errors().contains("cowfs check --rebuild-index " + pool), damaged::toString);

        String rebuilt = mounted.succeed("check", "--rebuild-index", pool);
        assertTrue(rebuilt.contains("no errors found"), rebuilt);
        assertEquals(hasBackup, rebuilt.contains("from its backup"), rebuilt);
        hasBackup = false;
        assertEquals(list, mounted.succeed("list", "-H", "-p", pool));
        assertEquals(holds, mounted.succeed("holds", pool + "@first"));
        assertTrue(mounted.succeed("get", pool, "user:note").contains("kept"));
        mounted.mount();
        Trees.assertSame(live, Trees.listing(mounted.path("tree")));
        Trees.assertSame(first, Trees.listing(mounted.path(".cowfs/snapshot/first/tree")));
        mounted.unmount();
        list = mounted.succeed("list", "-H", "-p", pool);
      }
    }
  }

  private static void deleteBackups(Path index) throws IOException {
    try (Stream<Path> files = Files.list(index.getParent())) {
      List<Path> backups = files.filter(file -> file.toString().contains(".backup-")).toList();
      assertEquals(1, backups.size(), backups::toString);
      Files.delete(backups.get(0));
    }
  }
}
