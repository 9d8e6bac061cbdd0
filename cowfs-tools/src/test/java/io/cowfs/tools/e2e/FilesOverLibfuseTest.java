package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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

  /** The library asks by whichever handle is open, and that may be closed at any time. */
  @Test
  void closingOneDescriptorOfAReplacedFileDisturbsNoOther() throws Exception {
    Path name = Files.createFile(mounted.path("name"));
    int readers = 10;
    ExecutorService executor = Executors.newFixedThreadPool(readers + 1);
    CountDownLatch reading = new CountDownLatch(readers);
    List<Callable<Void>> workers = new ArrayList<>();
    for (int i = 0; i < readers; i++) {
      workers.add(
          () -> {
            try {
              for (int round = 0; round < 1000; round++) {
                assertNotNull(readWhileReplaced(name));
              }
            } finally {
              reading.countDown();
            }
            return null;
          });
    }
    workers.add(
        () -> {
          while (reading.getCount() > 0) {
            Path temporary = Files.createFile(mounted.path("temporary"));
            Files.move(temporary, name, StandardCopyOption.ATOMIC_MOVE);
          }
          return null;
        });
    try {
      for (Future<Void> result : executor.invokeAll(workers)) {
        result.get();
      }
    } finally {
      executor.shutdown();
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
