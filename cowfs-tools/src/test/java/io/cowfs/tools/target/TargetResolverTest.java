package io.cowfs.tools.target;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TargetResolverTest {
  @TempDir private Path temporary;
  private Path base;
  private Path pool;
  private Path mountPoint;

  @BeforeEach
  void createPool() throws IOException {
    base = temporary.toRealPath();
    pool = newPool("pool");
    mountPoint = Files.createDirectory(base.resolve("mnt"));
  }

  private Path newPool(String name) throws IOException {
    Path directory = Files.createDirectories(base.resolve(name));
    Files.createFile(directory.resolve("pool-here"));
    return directory;
  }

  private static boolean isPool(Path directory) {
    return Files.exists(directory.resolve("pool-here"));
  }

  private Target resolve(Path from, String text) throws TargetException {
    MountTable mounts =
        MountTable.parse(
            List.of("9 1 0:9 / " + mountPoint + " rw - fuse.cowfs " + pool + "/home/anna rw"));
    return new TargetResolver(from, mounts, TargetResolverTest::isPool).resolve(text);
  }

  private void assertTarget(String text, Path expectedPool, String dataset, String snapshot)
      throws TargetException {
    Target target = resolve(base, text);
    assertEquals(expectedPool, target.pool());
    assertEquals(Optional.ofNullable(dataset), target.dataset());
    assertEquals(Optional.ofNullable(snapshot), target.snapshot());
  }

  private String refusal(String text) {
    return assertThrows(TargetException.class, () -> resolve(base, text)).getMessage();
  }

  @Test
  void absoluteAndRelativePathsMeanTheSame() throws IOException {
    for (String prefix : List.of(pool.toString(), "pool", "./pool", "mnt/../pool")) {
      assertTarget(prefix, pool, null, null);
      assertTarget(prefix + "@monday", pool, null, "monday");
      assertTarget(prefix + "/home", pool, "home", null);
      assertTarget(prefix + "/home/anna@monday", pool, "home/anna", "monday");
    }
  }

  @Test
  void slashesAtTheEndDoNotMatter() throws IOException {
    assertTarget("pool/", pool, null, null);
    assertTarget("pool//home//", pool, "home", null);
    assertTarget("pool/@monday", pool, null, "monday");
    assertTarget("pool/home/@monday", pool, "home", "monday");
  }

  @Test
  void atSignsInDirectoryNamesBelongToThePath() throws IOException {
    Path odd = newPool("a@b/po@ol");
    assertTarget("a@b/po@ol", odd, null, null);
    assertTarget("a@b/po@ol@s", odd, null, "s");
    assertTarget("a@b/po@ol/d@s", odd, "d", "s");
  }

  @Test
  void longestPrefixWins() throws IOException {
    Path inner = newPool("pool/inner");
    Path likeSnapshot = newPool("pool@x");
    assertTarget("pool/inner/d", inner, "d", null);
    assertTarget("pool@x", likeSnapshot, null, null);
    assertTarget("pool@y", pool, null, "y");
  }

  @Test
  void workingDirectoryMayBeThePool() throws IOException {
    assertEquals(Optional.of("s"), resolve(pool, "@s").snapshot());
    assertEquals(Optional.of("s"), resolve(pool, ".@s").snapshot());
    assertEquals(Optional.of("home"), resolve(pool, "home").dataset());
    assertEquals(pool, resolve(pool, ".").pool());
    assertEquals(pool, resolve(Files.createDirectory(pool.resolve("index")), "..").pool());
  }

  @Test
  void mountPointStandsForWhatIsMountedThere() throws IOException {
    Target target = resolve(base, "mnt@monday");
    assertEquals(pool, target.pool());
    assertEquals("home/anna", target.datasetOrDefault());
    assertEquals(mountPoint, target.mount().orElseThrow().mountPoint());
    assertEquals("other", resolve(base, "mnt/other@s").datasetOrDefault());
    assertEquals(pool, resolve(mountPoint, ".").pool());
  }

  @Test
  void symbolicLinksAreFollowed() throws IOException {
    Files.createSymbolicLink(base.resolve("to-pool"), pool);
    Files.createSymbolicLink(base.resolve("to-mount"), mountPoint);
    assertTarget("to-pool/home@s", pool, "home", "s");
    assertEquals("home/anna", resolve(base, "to-mount").datasetOrDefault());
  }

  @Test
  void poolAloneMeansItsRootDataset() throws IOException {
    assertEquals("root", resolve(base, "pool@s").datasetOrDefault());
  }

  @Test
  void nothingThereIsSaidByName() {
    assertEquals(base.resolve("nope") + ": no such file or directory", tail(refusal("nope")));
    assertTrue(refusal("mnt2/x@s").startsWith(base.resolve("mnt2/x") + ": no such file"));
    assertEquals(base + ": no cowfs pool and no cowfs mount point", refusal(base.toString()));
    assertTrue(refusal("").startsWith("not a target"));
    assertTrue(refusal("/").contains("no cowfs pool"));
    assertTrue(refusal("a\0b").startsWith("not a target"));
  }

  private static String tail(String message) {
    return message.replaceFirst(" \\(and .*", "");
  }

  @Test
  void malformedSnapshotNamesAreRefused() {
    assertTrue(refusal("pool@").startsWith("no snapshot name"));
    assertTrue(refusal("pool@a@b").startsWith("illegal snapshot name"));
    assertTrue(refusal("pool@a/b").startsWith("illegal snapshot name"));
  }
}
