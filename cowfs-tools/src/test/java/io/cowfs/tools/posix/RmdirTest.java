package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** rmdir(2). */
class RmdirTest extends PosixContract {
  @Test
  void removesAnEmptyDirectory() {
    ALICE.mkdir(at("d"), 0);
    int links = ROOT.stat(here()).nlink();
    touches(here(), () -> ALICE.rmdir(at("d")), Time.MTIME, Time.CTIME);
    assertFalse(ROOT.exists(at("d")));
    assertEquals(links - 1, ROOT.stat(here()).nlink());
    refuses(ENOENT, () -> ALICE.rmdir(at("d")));
  }

  @Test
  void anyEntryKeepsIt() {
    ALICE.mkdir(at("d"), 0755);
    ALICE.file(at("d/f"), 0);
    for (User user : new User[] {ALICE, ROOT}) {
      refusesAndTouchesNothing(ENOTEMPTY, here(), () -> user.rmdir(at("d")));
    }
    ALICE.rename(at("d/f"), at("f"));
    ALICE.symlink("nowhere", at("d/link"));
    refuses(ENOTEMPTY, () -> ALICE.rmdir(at("d")));
    ALICE.unlink(at("d/link"));
    ALICE.mkdir(at("d/s"), 0755);
    refuses(ENOTEMPTY, () -> ALICE.rmdir(at("d")));
    ALICE.rmdir(at("d/s"));
    ALICE.rmdir(at("d"));
  }

  @Test
  void dotAndDotDotAreRefused() {
    ALICE.mkdir(at("d"), 0755);
    ALICE.mkdir(at("d/s"), 0755);
    refuses(EINVAL, () -> ALICE.rmdir(at("d/s/.")));
    refuses(ENOTEMPTY, () -> ALICE.rmdir(at("d/s/..")));
    refuses(EINVAL, () -> ROOT.rmdir(at("d/s/.")));
  }

  @Test
  void isForDirectoriesOnly() {
    ALICE.file(at("file"), 0644);
    ALICE.mkdir(at("d"), 0755);
    ALICE.symlink("d", at("link"));
    ALICE.mknod(at("fifo"), S_IFIFO | 0644, 0);
    for (String name : List.of("file", "link", "fifo", "link/")) {
      refusesAndTouchesNothing(ENOTDIR, here(), () -> ALICE.rmdir(at(name)));
    }
    ALICE.rmdir(at("d/"));
  }

  @Test
  void aMountPointIsBusy() {
    ROOT.mkdir(at("d"), 0755);
    ROOT.mkdir(at("e"), 0755);
    ROOT.bind(at("e"), at("d"), 0);
    afterwards(() -> ROOT.unmount(at("d")));
    refuses(EBUSY, () -> ROOT.rmdir(at("d")));
    refuses(EBUSY, () -> ROOT.rmdir("/"));
  }

  @Test
  void needsToWriteTheParent() {
    ROOT.directory(at("d"), 0755);
    ROOT.directory(at("d/s"), 0777);
    refusesAndTouchesNothing(EACCES, at("d"), () -> ALICE.rmdir(at("d/s")));
    ROOT.chmod(at("d"), 0777);
    ALICE.rmdir(at("d/s"));
  }

  @Test
  void aStickyDirectoryProtectsItsDirectories() {
    ROOT.directory(at("d"), 0777);
    ROOT.chown(at("d"), BOB.uid(), BOB.gid());
    ROOT.chmod(at("d"), 01777);
    ALICE.mkdir(at("d/alice"), 0777);
    ALICE.mkdir(at("d/alice2"), 0777);
    ROOT.mkdir(at("d/root"), 0777);
    BOB.mkdir(at("d/bob"), 0777);
    refusesAndTouchesNothing(EPERM, at("d"), () -> ALICE.rmdir(at("d/bob")));
    refuses(EPERM, () -> ALICE.rmdir(at("d/root")));
    ALICE.rmdir(at("d/alice"));
    BOB.rmdir(at("d/alice2"));
    ROOT.rmdir(at("d/bob"));
  }

  @Test
  void aRemovedDirectoryIsEmpty() {
    ALICE.mkdir(at("d"), 0755);
    int fd = ALICE.open(at("d"), O_RDONLY);
    ALICE.rmdir(at("d"));
    assertEquals(0, ROOT.fstat(fd).nlink());
    refuses(ENOENT, () -> ALICE.restOfDirectory(fd));
    refuses(ENOENT, () -> ALICE.unlinkat(fd, "x", 0));
    ALICE.mkdir(at("d"), 0711);
    assertEquals(0711, ROOT.stat(at("d")).permissions());
    assertEquals(0755, ROOT.fstat(fd).permissions());
    assertEquals(0, ROOT.fstat(fd).nlink());
  }

  @Needs(Feature.CHANGES_OF_REMOVED_DIRECTORIES)
  @Test
  void aRemovedDirectoryCanBeChanged() {
    ALICE.mkdir(at("d"), 0755);
    int fd = ALICE.open(at("d"), O_RDONLY);
    ALICE.rmdir(at("d"));
    ALICE.fchmod(fd, 0700);
    assertEquals(0700, ROOT.fstat(fd).permissions());
    ALICE.futimens(fd, 1, 0, 2, 0);
    assertEquals(Instant.ofEpochSecond(2), ROOT.fstat(fd).mtime());
  }
}
