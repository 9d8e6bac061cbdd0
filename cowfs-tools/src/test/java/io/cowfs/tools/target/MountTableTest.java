package io.cowfs.tools.target;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MountTableTest {
  private static final MountTable TABLE =
      MountTable.parse(
          List.of(
              "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw",
              "44 21 0:50 / /mnt/data rw,nosuid shared:9 master:1 - fuse.cowfs /srv/pool/home/anna rw",
              "45 21 0:51 / /mnt/with\\040blank rw - fuse.cowfs /srv/my\\040pool/root rw",
              "46 21 0:52 / /mnt/ssh rw - fuse.sshfs host:/ rw",
              "47 44 0:53 / /mnt/data/tmp rw - tmpfs tmpfs rw",
              "this line makes no sense"));

  @Test
  void sourceIsPoolAndDataset() {
    assertEquals(
        Optional.of(new CowfsMount(Path.of("/mnt/data"), Path.of("/srv/pool"), "home/anna")),
        TABLE.cowfsAt(Path.of("/mnt/data"), p -> p.equals(Path.of("/srv/pool"))));
  }

  @Test
  void escapedBlanksAreBlanks() {
    assertEquals(
        Optional.of(new CowfsMount(Path.of("/mnt/with blank"), Path.of("/srv/my pool"), "root")),
        TABLE.cowfsAt(Path.of("/mnt/with blank"), p -> p.equals(Path.of("/srv/my pool"))));
  }

  @Test
  void otherFileSystemsAreNotCowfs() {
    assertFalse(TABLE.isCowfs(Path.of("/mnt/ssh")));
    assertTrue(TABLE.isMountPoint(Path.of("/mnt/ssh")));
    assertFalse(TABLE.isMountPoint(Path.of("/mnt")));
  }

  @Test
  void pathLiesOnTheClosestMount() {
    assertEquals(Optional.of(Path.of("/mnt/data")), TABLE.cowfsBelow(Path.of("/mnt/data/a/b")));
    assertEquals(Optional.empty(), TABLE.cowfsBelow(Path.of("/mnt/data/tmp/a")));
    assertEquals(Optional.empty(), TABLE.cowfsBelow(Path.of("/mnt")));
  }

  @Test
  void mountsOfAPoolAreFound() {
    List<CowfsMount> mounts =
        TABLE.cowfsOf(Path.of("/srv/pool"), p -> p.equals(Path.of("/srv/pool")));
    assertEquals(
        List.of(Path.of("/mnt/data")), mounts.stream().map(CowfsMount::mountPoint).toList());
  }

  @Test
  void theRealTableHasTheRoot() throws IOException {
    assertTrue(MountTable.read().isMountPoint(Path.of("/")));
  }
}
