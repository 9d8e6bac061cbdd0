package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/** Files and directories behave over libfuse as over the other transport. */
@EnabledIf("io.cowfs.tools.e2e.Requirements#libfuse")
final class FilesOverLibfuseTest extends FilesMountTest {
  @Override
  String[] mountOptions() {
    return new String[] {"--transport=libfuse"};
  }

  /**
   * Between the kernel's lookup and its open, the library forgets the path of a file that was
   * replaced, and says ENOENT by itself, or ESTALE when the file was opened in time and is then
   * asked for its size.
   */
  @Override
  String readWhileReplaced(Path file) throws IOException {
    while (true) {
      try {
        return super.readWhileReplaced(file);
      } catch (NoSuchFileException e) {
        assertTrue(Files.exists(file.getParent()));
      } catch (IOException e) {
        assertTrue(e.getMessage().endsWith("Stale file handle"), e::toString);
      }
    }
  }

  @Test
  void theTransportIsShownAndIsNoneOfThePoolsAffairs() throws IOException {
    Files.writeString(mounted.path("file"), "content");
    String line = "root at " + mounted.root() + " (";
    String status = mounted.succeed("status", mounted.pool().toString());
    assertTrue(status.contains(line + "libfuse)"), status);
    mounted.unmount();
    mounted.succeed(
        "mount", "--transport=kernel", mounted.pool().toString(), mounted.root().toString());
    assertEquals("content", Files.readString(mounted.path("file")));
    status = mounted.succeed("status", mounted.pool().toString());
    assertTrue(status.contains(line + "kernel)"), status);
  }

  @Test
  void whatWasSyncedIsThereAfterAKill() throws IOException {
    Program.shell(mounted.root(), "echo synced > a; sync a .; exec 3<>b; echo open >&3; rm b");
    mounted.killDaemon();
    assertEquals(
        "1\n", Program.shell(Path.of("/"), "ls $1 2>&1 | grep -c endpoint", mounted.root()));
    mounted.mount();
    assertEquals("synced\n", Files.readString(mounted.path("a")));
    assertEquals("a\n", Program.succeed(mounted.root(), "ls", "-A"));
  }

  @Test
  void snapshotsAreTakenBrowsedAndGoneBackTo() throws IOException {
    Files.writeString(mounted.path("file"), "before");
    Files.createDirectory(mounted.path(".cowfs/snapshot/first"));
    Files.writeString(mounted.path("file"), "after, and longer");
    Files.createDirectories(mounted.path("new/directory"));
    assertEquals("before", Files.readString(mounted.path(".cowfs/snapshot/first/file")));
    mounted.succeed("rollback", mounted.root() + "@first");
    assertEquals("before", Files.readString(mounted.path("file")));
    assertFalse(Files.exists(mounted.path("new")));
    Files.delete(mounted.path(".cowfs/snapshot/first"));
    assertFalse(Files.exists(mounted.path(".cowfs/snapshot/first")));
  }
}
