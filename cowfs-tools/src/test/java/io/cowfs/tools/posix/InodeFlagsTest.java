package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** The flags of chattr(1): FS_IOC_SETFLAGS and what they forbid. */
@Needs(Feature.FILE_FLAGS)
class InodeFlagsTest extends PosixContract {
  private static final int CONTROLLED = FS_IMMUTABLE_FL | FS_APPEND_FL;

  /** What is known here; file systems of the host have more. */
  private static int flags(String path) {
    return ROOT.getFlags(path) & (CONTROLLED | FS_NODUMP_FL | FS_NOATIME_FL | FS_NOCOMP_FL);
  }

  private void mark(String path, int flags) {
    ROOT.setFlags(path, ROOT.getFlags(path) & ~CONTROLLED | flags);
    afterwards(
        () -> {
          if (ROOT.exists(path)) {
            ROOT.setFlags(path, ROOT.getFlags(path) & ~CONTROLLED);
          }
        });
  }

  @Test
  void whatIsImmutableDoesNotChange() {
    String file = ALICE.file(at("f"), 0666);
    ALICE.put(file, "content");
    mark(file, FS_IMMUTABLE_FL);
    assertEquals(FS_IMMUTABLE_FL, flags(file) & CONTROLLED);
    refuses(EPERM, () -> ALICE.open(file, O_WRONLY));
    refuses(EPERM, () -> ROOT.open(file, O_RDWR | O_APPEND));
    refuses(EPERM, () -> ROOT.open(file, O_RDONLY | O_TRUNC));
    refuses(EPERM, () -> ROOT.truncate(file, 0));
    refuses(EPERM, () -> ROOT.chmod(file, 0600));
    refuses(EPERM, () -> ROOT.chown(file, 1, 1));
    refuses(EPERM, () -> ROOT.utimens(file));
    refuses(EPERM, () -> ROOT.utimens(file, 1, 0, 1, 0));
    refuses(EPERM, () -> ROOT.unlink(file));
    refuses(EPERM, () -> ROOT.rename(file, at("g")));
    refuses(EPERM, () -> ROOT.link(file, at("g")));
    refuses(EPERM, () -> ROOT.setxattr(file, "user.a", "v"));
    ROOT.put(at("other"), "other");
    refuses(EPERM, () -> ROOT.rename(at("other"), file));
    refuses(EPERM, () -> ROOT.rename(at("other"), file, RENAME_EXCHANGE));
    assertEquals("content", ALICE.pread(ALICE.open(file, O_RDONLY), 100, 0));
    ROOT.setFlags(file, ROOT.getFlags(file) & ~FS_IMMUTABLE_FL);
    ALICE.put(file, "changed");
    ALICE.unlink(file);
  }

  @Test
  void anImmutableDirectoryKeepsItsNames() {
    String directory = ALICE.directory(at("d"), 0777);
    ALICE.put(directory + "/f", "content");
    mark(directory, FS_IMMUTABLE_FL);
    refuses(EPERM, () -> ROOT.mkdir(directory + "/e", 0755));
    refuses(EPERM, () -> ROOT.open(directory + "/g", O_RDWR | O_CREAT, 0600));
    refuses(EPERM, () -> ROOT.open(directory, O_RDWR | O_TMPFILE, 0600));
    refuses(EPERM, () -> ROOT.symlink("x", directory + "/l"));
    refuses(EPERM, () -> ROOT.unlink(directory + "/f"));
    refuses(EPERM, () -> ROOT.rename(directory + "/f", at("f")));
    refuses(EEXIST, () -> ROOT.mkdir(directory + "/f", 0755));
    // What is in it may change.
    ALICE.put(directory + "/f", "changed");
    refuses(EPERM, () -> ROOT.rmdir(directory));
  }

  @Test
  void whatIsAppendOnlyGrows() {
    String file = ALICE.file(at("log"), 0666);
    mark(file, FS_APPEND_FL);
    refuses(EPERM, () -> ALICE.open(file, O_WRONLY));
    refuses(EPERM, () -> ALICE.open(file, O_RDWR | O_APPEND | O_TRUNC));
    int fd = ALICE.open(file, O_RDWR | O_APPEND);
    ALICE.write(fd, "one");
    ALICE.write(fd, "two");
    assertEquals("onetwo", ALICE.pread(fd, 100, 0));
    refuses(EPERM, () -> ROOT.truncate(file, 3));
    refuses(EPERM, () -> ALICE.ftruncate(fd, 3));
    refuses(EPERM, () -> ALICE.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2));
    refuses(EPERM, () -> ROOT.chmod(file, 0600));
    refuses(EPERM, () -> ROOT.utimens(file, 1, 0, 1, 0));
    refuses(EPERM, () -> ROOT.unlink(file));
    refuses(EPERM, () -> ROOT.link(file, at("g")));
    refuses(EPERM, () -> ROOT.setxattr(file, "user.a", "v"));
    ALICE.utimens(file);
    ALICE.fsync(fd);
    assertEquals(6, ALICE.stat(file).size());
  }

  @Test
  void anAppendOnlyDirectoryLosesNoName() {
    String directory = ALICE.directory(at("d"), 0777);
    mark(directory, FS_APPEND_FL);
    ALICE.put(directory + "/f", "content");
    ALICE.mkdir(directory + "/e", 0755);
    refuses(EPERM, () -> ALICE.unlink(directory + "/f"));
    refuses(EPERM, () -> ALICE.rmdir(directory + "/e"));
    refuses(EPERM, () -> ALICE.rename(directory + "/f", directory + "/g"));
    ALICE.put(at("x"), "x");
    ALICE.rename(at("x"), directory + "/x");
    refuses(EPERM, () -> ALICE.rename(directory + "/x", at("x")));
  }

  @Test
  void onlyRootMakesImmutable() {
    String file = ALICE.file(at("f"), 0600);
    refuses(EPERM, () -> ALICE.setFlags(file, ALICE.getFlags(file) | FS_IMMUTABLE_FL));
    refuses(EPERM, () -> ALICE.setFlags(file, ALICE.getFlags(file) | FS_APPEND_FL));
    ALICE.setFlags(file, ALICE.getFlags(file) | FS_NODUMP_FL | FS_NOATIME_FL);
    assertEquals(FS_NODUMP_FL | FS_NOATIME_FL, flags(file));
    ROOT.chmod(file, 0644);
    refuses(EPERM, () -> BOB.setFlags(file, 0));
  }

  @Test
  void newFilesInheritFromTheirDirectory() {
    String directory = ALICE.directory(at("d"), 0755);
    ALICE.setFlags(directory, ALICE.getFlags(directory) | FS_NOATIME_FL | FS_NODUMP_FL);
    ALICE.put(directory + "/f", "content");
    ALICE.mkdir(directory + "/e", 0755);
    assertEquals(FS_NOATIME_FL | FS_NODUMP_FL, flags(directory + "/f"));
    assertEquals(FS_NOATIME_FL | FS_NODUMP_FL, flags(directory + "/e"));
  }

  @Test
  void bothCommandsTellTheSame() {
    String file = ROOT.file(at("f"), 0600);
    int fd = ROOT.open(file, O_RDONLY);
    var attributes = ROOT.ioctl(fd, FS_IOC_FSGETXATTR, User.argument(28));
    attributes.putInt(0, attributes.getInt(0) & ~(1 << 31) | FS_XFLAG_NODUMP);
    ROOT.ioctl(fd, FS_IOC_FSSETXATTR, attributes);
    assertEquals(FS_NODUMP_FL, flags(file) & FS_NODUMP_FL);
    mark(file, FS_IMMUTABLE_FL);
    assertEquals(
        FS_XFLAG_IMMUTABLE,
        ROOT.ioctl(fd, FS_IOC_FSGETXATTR, User.argument(28)).getInt(0) & FS_XFLAG_IMMUTABLE);
  }

  @Test
  void whatIsNotKnownIsRefused() {
    String file = ROOT.file(at("f"), 0600);
    if (!mount.isHost()) {
      refuses(EOPNOTSUPP, () -> ROOT.setFlags(file, FS_NOCOW_FL));
      ROOT.setFlags(file, FS_NOCOMP_FL);
      assertEquals(FS_NOCOMP_FL, flags(file));
    }
    int fd = ROOT.open(file, O_RDONLY);
    refuses(ENOTTY, () -> ROOT.ioctl(fd, 0x80047a7bL, User.argument(4)));
  }
}
