package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** setxattr(2), getxattr(2), listxattr(2), removexattr(2). */
class XattrTest extends PosixContract {
  @ParameterizedTest
  @ValueSource(ints = {S_IFREG, S_IFDIR})
  void attributesOfUsersAreKept(int type) {
    if (type == S_IFDIR) {
      ALICE.mkdir(at("f"), 0755);
    } else {
      ALICE.file(at("f"), 0644);
    }
    assertEquals(List.of(), ALICE.listxattr(at("f")));
    ALICE.setxattr(at("f"), "user.a", "value");
    ALICE.setxattr(at("f"), "user.empty", "");
    ALICE.setxattr(at("f"), "user.bytes", "\0\u00ff\n\0");
    assertEquals(List.of("user.a", "user.bytes", "user.empty"), BOB.listxattr(at("f")));
    assertEquals("value", BOB.getxattr(at("f"), "user.a"));
    assertEquals("", BOB.getxattr(at("f"), "user.empty"));
    assertEquals("\0\u00ff\n\0", BOB.getxattr(at("f"), "user.bytes"));
    ALICE.setxattr(at("f"), "user.a", "other and longer");
    assertEquals("other and longer", ALICE.getxattr(at("f"), "user.a"));
    ALICE.removexattr(at("f"), "user.a");
    assertEquals(List.of("user.bytes", "user.empty"), ALICE.listxattr(at("f")));
    refuses(ENODATA, () -> ALICE.getxattr(at("f"), "user.a"));
    refuses(ENODATA, () -> ALICE.removexattr(at("f"), "user.a"));
  }

  @Test
  void createAndReplaceAreObeyed() {
    ALICE.file(at("f"), 0644);
    byte[] value = {1};
    refuses(ENODATA, () -> ALICE.setxattr(at("f"), "user.a", value, XATTR_REPLACE));
    ALICE.setxattr(at("f"), "user.a", value, XATTR_CREATE);
    refusesAndTouchesNothing(
        EEXIST, at("f"), () -> ALICE.setxattr(at("f"), "user.a", new byte[2], XATTR_CREATE));
    ALICE.setxattr(at("f"), "user.a", new byte[3], XATTR_REPLACE);
    assertEquals(3, ALICE.getxattr(at("f"), "user.a", 0));
    refuses(EINVAL, () -> ALICE.setxattr(at("f"), "user.a", value, 4));
  }

  @Test
  void roomIsAskedAndChecked() {
    ALICE.file(at("f"), 0644);
    ALICE.setxattr(at("f"), "user.a", "12345");
    assertEquals(5, ALICE.getxattr(at("f"), "user.a", 0));
    assertEquals(5, ALICE.getxattr(at("f"), "user.a", 5));
    refuses(ERANGE, () -> ALICE.getxattr(at("f"), "user.a", 4));
    assertEquals(7, ALICE.listxattr(at("f"), 0));
    refuses(ERANGE, () -> ALICE.listxattr(at("f"), 6));
    assertEquals(7, ALICE.listxattr(at("f"), 7));
  }

  @Test
  void namesAndValuesHaveLimits() {
    ALICE.file(at("f"), 0644);
    String longest = "user." + "n".repeat(250);
    ALICE.setxattr(at("f"), longest, "v");
    assertEquals(List.of(longest), ALICE.listxattr(at("f")));
    refuses(ERANGE, () -> ALICE.setxattr(at("f"), longest + "n", "v"));
    refuses(ERANGE, () -> ALICE.getxattr(at("f"), longest + "n"));
    refuses(ERANGE, () -> ALICE.setxattr(at("f"), "", "v"));
    refuses(E2BIG, () -> ALICE.setxattr(at("f"), "user.a", new byte[65_537], 0));
    refuses(EOPNOTSUPP, () -> ALICE.setxattr(at("f"), "name", "v"));
    refuses(EOPNOTSUPP, () -> ALICE.setxattr(at("f"), "unknown.name", "v"));
    refuses(EOPNOTSUPP, () -> ALICE.getxattr(at("f"), "unknown.name"));
    refuses(EOPNOTSUPP, () -> ROOT.setxattr(at("f"), "system.unknown", "v"));
  }

  @Test
  void largeValuesAreKeptWhereTheHostHasNoRoom() {
    ALICE.file(at("f"), 0644);
    int length = mount.isHost() ? 3000 : 65_536;
    ALICE.setxattr(at("f"), "user.a", "x".repeat(length));
    assertEquals("x".repeat(length), ALICE.getxattr(at("f"), "user.a"));
    ALICE.setxattr(at("f"), "user.a", "small");
    assertEquals("small", ALICE.getxattr(at("f"), "user.a"));
    ALICE.removexattr(at("f"), "user.a");
    assertEquals(List.of(), ALICE.listxattr(at("f")));
  }

  @Test
  void manyAttributesAreListed() {
    ALICE.file(at("f"), 0644);
    List<String> names =
        java.util.stream.IntStream.range(0, 100).mapToObj(i -> "user.n" + i).sorted().toList();
    names.forEach(name -> ALICE.setxattr(at("f"), name, name));
    assertEquals(names, ALICE.listxattr(at("f")));
    names.forEach(name -> assertEquals(name, ALICE.getxattr(at("f"), name)));
    names.forEach(name -> ALICE.removexattr(at("f"), name));
    assertEquals(List.of(), ALICE.listxattr(at("f")));
  }

  @Test
  void permissionsOfTheFileCount() {
    ALICE.file(at("f"), 0644);
    ALICE.setxattr(at("f"), "user.a", "v");
    refusesAndTouchesNothing(EACCES, at("f"), () -> BOB.setxattr(at("f"), "user.a", "w"));
    refuses(EACCES, () -> BOB.removexattr(at("f"), "user.a"));
    assertEquals("v", BOB.getxattr(at("f"), "user.a"));
    ALICE.chmod(at("f"), 0622);
    refuses(EACCES, () -> BOB.getxattr(at("f"), "user.a"));
    BOB.setxattr(at("f"), "user.a", "w");
    assertEquals(List.of("user.a"), BOB.listxattr(at("f")));
  }

  @Test
  void usersAttributesAreForFilesAndDirectories() {
    ALICE.mknod(at("fifo"), S_IFIFO | 0666, 0);
    ALICE.symlink("nowhere", at("link"));
    for (String name : List.of("fifo", "link")) {
      for (User user : new User[] {ALICE, ROOT}) {
        refuses(EPERM, () -> user.lsetxattr(at(name), "user.a", "v"));
        refuses(ENODATA, () -> user.lgetxattr(at(name), "user.a"));
        refuses(EPERM, () -> user.lremovexattr(at(name), "user.a"));
      }
    }
    ROOT.lsetxattr(at("link"), "trusted.a", "v");
    assertEquals("v", ROOT.lgetxattr(at("link"), "trusted.a"));
    ROOT.lremovexattr(at("link"), "trusted.a");
  }

  @Test
  void aStickyDirectorysAttributesAreItsOwners() {
    ALICE.directory(at("d"), 01777);
    refuses(EPERM, () -> BOB.setxattr(at("d"), "user.a", "v"));
    ALICE.setxattr(at("d"), "user.a", "v");
    ROOT.setxattr(at("d"), "user.b", "v");
    ALICE.chmod(at("d"), 0777);
    BOB.setxattr(at("d"), "user.c", "v");
  }

  @Test
  void trustedAttributesAreRoots() {
    ALICE.file(at("f"), 0666);
    refuses(EPERM, () -> ALICE.setxattr(at("f"), "trusted.a", "v"));
    ROOT.setxattr(at("f"), "trusted.a", "v");
    ALICE.setxattr(at("f"), "user.a", "v");
    assertEquals("v", ROOT.getxattr(at("f"), "trusted.a"));
    assertEquals(List.of("trusted.a", "user.a"), ROOT.listxattr(at("f")));
    refuses(ENODATA, () -> ALICE.getxattr(at("f"), "trusted.a"));
    refuses(EPERM, () -> ALICE.removexattr(at("f"), "trusted.a"));
    ROOT.removexattr(at("f"), "trusted.a");
  }

  @Test
  void usersDoNotSeeTrustedAttributesInTheList() {
    ALICE.file(at("f"), 0666);
    ROOT.setxattr(at("f"), "trusted.a", "v");
    ALICE.setxattr(at("f"), "user.a", "v");
    assertEquals(List.of("user.a"), ALICE.listxattr(at("f")));
    assertEquals(7, ALICE.listxattr(at("f"), 0));
  }

  @Test
  void securityAttributesAreSetByRoot() {
    ALICE.file(at("f"), 0666);
    refuses(EPERM, () -> ALICE.setxattr(at("f"), "security.test", "v"));
    ROOT.setxattr(at("f"), "security.test", "v");
    assertEquals("v", ALICE.getxattr(at("f"), "security.test"));
    refuses(EPERM, () -> ALICE.removexattr(at("f"), "security.test"));
    ROOT.removexattr(at("f"), "security.test");
  }

  @Test
  void movesTheChangeTimeOnly() {
    ALICE.file(at("f"), 0644);
    touches(at("f"), () -> ALICE.setxattr(at("f"), "user.a", "v"), Time.CTIME);
    touches(at("f"), () -> ALICE.getxattr(at("f"), "user.a"));
    touches(at("f"), () -> ALICE.listxattr(at("f")));
    touches(at("f"), () -> ALICE.removexattr(at("f"), "user.a"), Time.CTIME);
    refusesAndTouchesNothing(ENODATA, at("f"), () -> ALICE.removexattr(at("f"), "user.a"));
  }

  @Test
  void theyMoveWithTheFile() {
    int fd = ALICE.open(at("f"), O_CREAT | O_RDWR, 0644);
    ALICE.fsetxattr(fd, "user.a", "v");
    ALICE.rename(at("f"), at("g"));
    ALICE.link(at("g"), at("h"));
    assertEquals("v", ALICE.getxattr(at("h"), "user.a"));
    ALICE.fremovexattr(fd, "user.a");
    refuses(ENODATA, () -> ALICE.getxattr(at("g"), "user.a"));
  }
}
