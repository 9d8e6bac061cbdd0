package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What all calls have in common that find a file by its path. */
class PathResolutionTest extends PosixContract {
  /** What happens to the file that is named last. */
  enum Kind {
    /** It must be there; a symbolic link is followed. */
    FOLLOWS,
    /** It must be there; a symbolic link is the file. */
    LINK_ITSELF,
    /** It must not be there. */
    MAKES
  }

  /** A call with its path. */
  enum PathCall {
    OPEN(Kind.FOLLOWS, (user, path) -> user.open(path, O_RDONLY)),
    OPEN_TO_WRITE(Kind.FOLLOWS, (user, path) -> user.open(path, O_RDWR)),
    OPEN_PATH(Kind.FOLLOWS, (user, path) -> user.open(path, O_PATH)),
    STAT(Kind.FOLLOWS, User::stat),
    ACCESS(Kind.FOLLOWS, (user, path) -> user.access(path, F_OK)),
    CHMOD(Kind.FOLLOWS, (user, path) -> user.chmod(path, 0644)),
    CHOWN(Kind.FOLLOWS, (user, path) -> user.chown(path, -1, -1)),
    TRUNCATE(Kind.FOLLOWS, (user, path) -> user.truncate(path, 1)),
    UTIMENS(Kind.FOLLOWS, (user, path) -> user.utimens(path)),
    STATFS(Kind.FOLLOWS, User::statfs),
    SETXATTR(Kind.FOLLOWS, (user, path) -> user.setxattr(path, "user.a", "b")),
    GETXATTR(Kind.FOLLOWS, (user, path) -> user.getxattr(path, "user.a")),
    LISTXATTR(Kind.FOLLOWS, User::listxattr),
    REMOVEXATTR(Kind.FOLLOWS, (user, path) -> user.removexattr(path, "user.a")),
    LSTAT(Kind.LINK_ITSELF, User::lstat),
    LCHOWN(Kind.LINK_ITSELF, (user, path) -> user.lchown(path, -1, -1)),
    READLINK(Kind.LINK_ITSELF, User::readlink),
    UNLINK(Kind.LINK_ITSELF, User::unlink),
    RMDIR(Kind.LINK_ITSELF, User::rmdir),
    RENAME_FROM(Kind.LINK_ITSELF, (user, path) -> user.rename(path, path + ".new")),
    LINK_FROM(Kind.LINK_ITSELF, (user, path) -> user.link(path, path + ".new")),
    CREATE(Kind.MAKES, (user, path) -> user.open(path, O_CREAT | O_EXCL | O_WRONLY, 0644)),
    MKDIR(Kind.MAKES, (user, path) -> user.mkdir(path, 0755)),
    MKFIFO(Kind.MAKES, (user, path) -> user.mknod(path, S_IFIFO | 0644, 0)),
    SYMLINK(Kind.MAKES, (user, path) -> user.symlink("target", path)),
    LINK_TO(Kind.MAKES, (user, path) -> user.link(spare, path)),
    RENAME_TO(Kind.MAKES, (user, path) -> user.rename(spare, path));

    private final Kind kind;
    private final BiConsumer<User, String> call;

    PathCall(Kind kind, BiConsumer<User, String> call) {
      this.kind = kind;
      this.call = call;
    }

    void by(User user, String path) {
      call.accept(user, path);
    }

    boolean makes() {
      return kind == Kind.MAKES;
    }

    /** Asks, and changes nothing. */
    boolean reads() {
      return switch (this) {
        case OPEN, OPEN_PATH, STAT, ACCESS, STATFS, GETXATTR, LISTXATTR, LSTAT, READLINK -> true;
        default -> false;
      };
    }
  }

  /** Another file, to link or rename. */
  private static String spare;

  private void makeSpare() {
    spare = ALICE.file(at("spare"), 0644);
  }

  @ParameterizedTest
  @EnumSource
  void missingComponentsAreNotFound(PathCall call) {
    makeSpare();
    for (User user : new User[] {ROOT, ALICE}) {
      refuses(ENOENT, () -> call.by(user, at("missing/name")));
      refuses(ENOENT, () -> call.by(user, ""));
      if (!call.makes()) {
        refuses(ENOENT, () -> call.by(user, at("missing")));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void componentsThatAreFilesAreNoDirectories(PathCall call) {
    makeSpare();
    String file = ALICE.file(at("file"), 0777);
    String fifo = at("fifo");
    ALICE.mknod(fifo, S_IFIFO | 0777, 0);
    for (User user : new User[] {ROOT, ALICE}) {
      refuses(ENOTDIR, () -> call.by(user, file + "/name"));
      refuses(ENOTDIR, () -> call.by(user, file + "/."));
      refuses(ENOTDIR, () -> call.by(user, file + "/.."));
      refuses(ENOTDIR, () -> call.by(user, fifo + "/name"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void namesEndAt255Bytes(PathCall call) {
    makeSpare();
    for (int length : new int[] {256, 1000, 1024, 1025, 4000}) {
      if (here().length() + 1 + length < PATH_MAX) {
        refuses(ENAMETOOLONG, () -> call.by(ROOT, at(name(length))));
        refuses(ENAMETOOLONG, () -> call.by(ALICE, at(name(length) + "/name")));
      }
    }
    if (call.makes()) {
      call.by(ALICE, at(name(255)));
      assertTrue(ROOT.names(here()).contains(name(255)));
    } else if (call.kind == Kind.FOLLOWS || call == PathCall.LSTAT) {
      String path = ALICE.file(at(name(255)), 0644);
      ALICE.setxattr(path, "user.a", "b");
      call.by(ALICE, path);
    }
  }

  @ParameterizedTest
  @EnumSource
  void pathsEndAt4095Bytes(PathCall call) {
    makeSpare();
    refuses(ENAMETOOLONG, () -> call.by(ALICE, pathOf(PATH_MAX - 2) + "/n"));
    if (call.makes()) {
      call.by(ALICE, pathOf(PATH_MAX - 3) + "/n");
      assertTrue(ROOT.names(here()).contains("n"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void directoriesOfThePathMustBeSearchable(PathCall call) {
    makeSpare();
    String closed = ROOT.directory(at("closed"), 0755);
    ROOT.chown(closed, ALICE.uid(), ALICE.gid());
    ALICE.file(closed + "/file", 0666);
    for (int mode : new int[] {0677, 0666}) {
      ROOT.chmod(closed, mode);
      refuses(EACCES, () -> call.by(ALICE, closed + "/file"));
      refuses(EACCES, () -> call.by(ALICE, closed + "/missing"));
    }
    // The first class that fits counts, also when it grants less than the others.
    ROOT.chown(closed, BOB.uid(), ALICE.gid());
    ROOT.chmod(closed, 0767);
    refuses(EACCES, () -> call.by(ALICE, closed + "/file"));
    ROOT.chown(closed, BOB.uid(), ALICE.otherGroup());
    refuses(EACCES, () -> call.by(ALICE, closed + "/file"));
    ROOT.chown(closed, BOB.uid(), BOB.gid());
    ROOT.chmod(closed, 0776);
    refuses(EACCES, () -> call.by(ALICE, closed + "/missing/file"));
  }

  @ParameterizedTest
  @EnumSource
  void loopsOfLinksEnd(PathCall call) {
    makeSpare();
    ALICE.symlink("loop2", at("loop1"));
    ALICE.symlink("loop1", at("loop2"));
    for (User user : new User[] {ROOT, ALICE}) {
      refuses(ELOOP, () -> call.by(user, at("loop1/name")));
      if (call.kind == Kind.FOLLOWS) {
        refuses(ELOOP, () -> call.by(user, at("loop1")));
      } else if (call.makes() && call != PathCall.RENAME_TO) {
        refuses(EEXIST, () -> call.by(user, at("loop1")));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aLinkThatLeadsNowhereIsNoName(PathCall call) {
    makeSpare();
    ALICE.symlink("nowhere", at("dangling"));
    refuses(ENOENT, () -> call.by(ALICE, at("dangling/name")));
    if (call.kind == Kind.FOLLOWS) {
      refuses(ENOENT, () -> call.by(ALICE, at("dangling")));
    } else if (call.makes() && call != PathCall.RENAME_TO) {
      refuses(EEXIST, () -> call.by(ALICE, at("dangling")));
      assertTrue(!ROOT.exists(at("nowhere")));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aReadOnlyViewChangesNothing(PathCall call) {
    makeSpare();
    ALICE.file(at("file"), 0666);
    ALICE.setxattr(at("file"), "user.a", "b");
    ALICE.mkdir(at("directory"), 0777);
    ALICE.symlink("file", at("link"));
    String view = readOnlyView();
    spare = view + "/spare";
    String path =
        switch (call) {
          case RMDIR -> view + "/directory";
          case READLINK -> view + "/link";
          default -> call.makes() ? view + "/new" : view + "/file";
        };
    for (User user : new User[] {ROOT, ALICE}) {
      if (call.reads()) {
        call.by(user, path);
      } else {
        refusesAndTouchesNothing(EROFS, here(), () -> call.by(user, path));
      }
    }
    refuses(EROFS, () -> ROOT.access(path.equals(view + "/new") ? view : path, W_OK));
  }

  @ParameterizedTest
  @EnumSource
  void onlyDirectoriesMayBeFollowedByASlash(PathCall call) {
    makeSpare();
    String file = ALICE.file(at("file"), 0666);
    if (!call.makes()) {
      refuses(ENOTDIR, () -> call.by(ALICE, file + "/"));
    } else if (call == PathCall.MKDIR) {
      call.by(ALICE, at("new/"));
      assertEquals(S_IFDIR, ROOT.stat(at("new")).type());
    } else {
      Errno expected =
          switch (call) {
            case CREATE -> EISDIR;
            case RENAME_TO -> ENOTDIR;
            default -> ENOENT;
          };
      refuses(expected, () -> call.by(ALICE, at("new/")));
      assertTrue(!ROOT.exists(at("new")));
    }
  }

  @Test
  void fortyLinksAreFollowed() {
    ALICE.put(at("link0"), "end");
    for (int i = 1; i <= 41; i++) {
      ALICE.symlink("link" + (i - 1), at("link" + i));
    }
    assertEquals("end", ALICE.read(ALICE.open(at("link40"), O_RDONLY), 10));
    refuses(ELOOP, () -> ALICE.open(at("link41"), O_RDONLY));
  }

  @Test
  void namesAreBytes() {
    StringBuilder all = new StringBuilder();
    for (int each = 1; each < 256; each++) {
      all.append(each == '/' ? '_' : (char) each);
    }
    String[] names = {all.toString(), "\u00e4", "\u00c3\u00a4", "\u0001", " ", "\\", "...", "-"};
    for (String name : names) {
      ALICE.put(at(name), name);
    }
    assertEquals(java.util.Arrays.stream(names).sorted().toList(), ROOT.names(here()));
    for (String name : names) {
      assertEquals(name, ALICE.read(ALICE.open(at(name), O_RDONLY), 300));
      ALICE.symlink(name, at("link"));
      assertEquals(name, ALICE.readlink(at("link")));
      ALICE.unlink(at("link"));
      ALICE.unlink(at(name));
    }
    assertEquals(java.util.List.of(), ROOT.names(here()));
  }

  @Test
  void upperAndLowerCaseAreDifferentNames() {
    ALICE.put(at("name"), "lower");
    ALICE.put(at("NAME"), "upper");
    assertEquals("lower", ALICE.read(ALICE.open(at("name"), O_RDONLY), 10));
  }
}
