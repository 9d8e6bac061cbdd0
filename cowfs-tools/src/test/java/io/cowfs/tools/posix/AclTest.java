package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** acl(5), by the extended attributes in which access control lists stand. */
@Needs(Feature.ACLS)
class AclTest extends PosixContract {
  private static final String ACCESS = "system.posix_acl_access";
  private static final String DEFAULT = "system.posix_acl_default";

  private static final int OWNER = 1;
  private static final int USER = 2;
  private static final int GROUP = 4;
  private static final int NAMED_GROUP = 8;
  private static final int MASK = 16;
  private static final int OTHER = 32;

  private static int[] entry(int tag, int permissions) {
    return new int[] {tag, permissions, -1};
  }

  private static int[] entry(int tag, int permissions, int id) {
    return new int[] {tag, permissions, id};
  }

  private static String acl(int[]... entries) {
    ByteBuffer b = ByteBuffer.allocate(4 + 8 * entries.length).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(2);
    for (int[] entry : entries) {
      b.putShort((short) entry[0]).putShort((short) entry[1]).putInt(entry[2]);
    }
    return new String(b.array(), StandardCharsets.ISO_8859_1);
  }

  private static String forAlice(int owner, int alice, int group, int mask, int other) {
    return acl(
        entry(OWNER, owner),
        entry(USER, alice, ALICE.uid()),
        entry(GROUP, group),
        entry(MASK, mask),
        entry(OTHER, other));
  }

  @Test
  void aListIsObeyed() {
    ROOT.put(at("f"), "content");
    ROOT.chmod(at("f"), 0600);
    refuses(EACCES, () -> ALICE.open(at("f"), O_RDONLY));
    ROOT.setxattr(at("f"), ACCESS, forAlice(6, 4, 0, 4, 0));
    ALICE.open(at("f"), O_RDONLY);
    refuses(EACCES, () -> ALICE.open(at("f"), O_WRONLY));
    refuses(EACCES, () -> BOB.open(at("f"), O_RDONLY));
    // The mask takes away what the entry gives.
    ROOT.setxattr(at("f"), ACCESS, forAlice(6, 6, 0, 4, 0));
    refuses(EACCES, () -> ALICE.open(at("f"), O_RDWR));
    ROOT.setxattr(
        at("f"),
        ACCESS,
        acl(
            entry(OWNER, 6),
            entry(GROUP, 0),
            entry(NAMED_GROUP, 4, BOB.gid()),
            entry(MASK, 4),
            entry(OTHER, 0)));
    BOB.open(at("f"), O_RDONLY);
    refuses(EACCES, () -> ALICE.open(at("f"), O_RDONLY));
  }

  @Test
  void theModeFollowsTheListAndTheListTheMode() {
    String file = ROOT.file(at("f"), 04600);
    touches(file, () -> ROOT.setxattr(file, ACCESS, forAlice(7, 6, 4, 5, 1)), Time.CTIME);
    assertEquals(04751, ROOT.stat(file).permissions());
    ROOT.chmod(file, 0620);
    assertEquals(forAlice(6, 6, 4, 2, 0), ROOT.getxattr(file, ACCESS));
    ROOT.chmod(file, 0777);
    assertEquals(forAlice(7, 6, 4, 7, 7), ROOT.getxattr(file, ACCESS));
  }

  @Test
  void aListThatIsAModeIsNotKept() {
    String file = ROOT.file(at("f"), 0600);
    ROOT.setxattr(file, ACCESS, acl(entry(OWNER, 7), entry(GROUP, 5), entry(OTHER, 4)));
    assertEquals(0754, ROOT.stat(file).permissions());
    refuses(ENODATA, () -> ROOT.getxattr(file, ACCESS));
    assertFalse(ROOT.listxattr(file).contains(ACCESS));
    ROOT.setxattr(file, ACCESS, forAlice(7, 7, 5, 7, 0));
    assertEquals(List.of(ACCESS), ROOT.listxattr(file));
    ROOT.removexattr(file, ACCESS);
    assertEquals(0770, ROOT.stat(file).permissions());
    refuses(ENODATA, () -> ROOT.getxattr(file, ACCESS));
    ROOT.removexattr(file, ACCESS);
  }

  @Test
  void newFilesInheritTheDefaultListAndNoMask() {
    String directory = ROOT.directory(at("d"), 0777);
    ROOT.setxattr(directory, DEFAULT, forAlice(7, 7, 5, 7, 0));
    assertEquals(0777, ROOT.stat(directory).permissions());
    CLibrary.C.umask(0077);
    ROOT.put(directory + "/f", "content");
    ROOT.mkdir(directory + "/e", 0770);
    ROOT.mknod(directory + "/p", S_IFIFO | 0600, 0);
    ROOT.symlink("f", directory + "/l");
    int unnamed = ROOT.open(directory, O_TMPFILE | O_RDWR, 0666);
    ROOT.put(at("without"), "content");
    CLibrary.C.umask(0);
    assertEquals(0640, ROOT.stat(directory + "/f").permissions());
    assertEquals(forAlice(6, 7, 5, 4, 0), ROOT.getxattr(directory + "/f", ACCESS));
    refuses(ENODATA, () -> ROOT.getxattr(directory + "/f", DEFAULT));
    assertEquals(forAlice(7, 7, 5, 7, 0), ROOT.getxattr(directory + "/e", ACCESS));
    assertEquals(forAlice(7, 7, 5, 7, 0), ROOT.getxattr(directory + "/e", DEFAULT));
    assertEquals(forAlice(6, 7, 5, 0, 0), ROOT.getxattr(directory + "/p", ACCESS));
    assertEquals(0777, ROOT.lstat(directory + "/l").permissions());
    assertEquals(forAlice(6, 7, 5, 6, 0), ROOT.fgetxattr(unnamed, ACCESS));
    assertEquals(0600, ROOT.stat(at("without")).permissions());
    ROOT.removexattr(directory, DEFAULT);
    ROOT.file(directory + "/later", 0600);
    refuses(ENODATA, () -> ROOT.getxattr(directory + "/later", ACCESS));
  }

  @Test
  void aDefaultListThatIsAModeLimitsTheMode() {
    String directory = ROOT.directory(at("d"), 0777);
    ROOT.setxattr(directory, DEFAULT, acl(entry(OWNER, 7), entry(GROUP, 5), entry(OTHER, 0)));
    CLibrary.C.umask(0077);
    ROOT.put(directory + "/f", "content");
    ROOT.mkdir(directory + "/e", 0777);
    CLibrary.C.umask(0);
    assertEquals(0640, ROOT.stat(directory + "/f").permissions());
    assertEquals(0750, ROOT.stat(directory + "/e").permissions());
    refuses(ENODATA, () -> ROOT.getxattr(directory + "/e", ACCESS));
    assertEquals(List.of(DEFAULT), ROOT.listxattr(directory + "/e"));
  }

  @Test
  void sgidGoesWhereItIsNotTheSettersGroup() {
    String file = ROOT.file(at("f"), 0600);
    ROOT.chown(file, ALICE.uid(), BOB.gid());
    ROOT.chmod(file, 02770);
    ALICE.setxattr(file, ACCESS, forAlice(7, 7, 7, 7, 0));
    assertEquals(0770, ROOT.stat(file).permissions());
    ROOT.chown(file, ALICE.uid(), ALICE.gid());
    ROOT.chmod(file, 02770);
    ALICE.setxattr(file, ACCESS, forAlice(7, 6, 7, 7, 0));
    assertEquals(02770, ROOT.stat(file).permissions());
  }

  @Test
  void malformedListsAreRefused() {
    String file = ROOT.file(at("f"), 0600);
    refuses(EINVAL, () -> ROOT.setxattr(file, ACCESS, acl(entry(OWNER, 6), entry(GROUP, 4))));
    refuses(
        EINVAL,
        () ->
            ROOT.setxattr(
                file,
                ACCESS,
                acl(entry(OWNER, 6), entry(USER, 4, 1), entry(GROUP, 4), entry(OTHER, 0))));
    refuses(
        EINVAL,
        () -> ROOT.setxattr(file, ACCESS, acl(entry(OWNER, 9), entry(GROUP, 4), entry(OTHER, 0))));
    refuses(EINVAL, () -> ROOT.setxattr(file, ACCESS, "x"));
    refuses(EACCES, () -> ROOT.setxattr(file, DEFAULT, forAlice(7, 7, 5, 7, 0)));
    refuses(EPERM, () -> ALICE.setxattr(file, ACCESS, forAlice(7, 7, 5, 7, 0)));
    ROOT.symlink("f", at("l"));
    refuses(EOPNOTSUPP, () -> ROOT.lsetxattr(at("l"), ACCESS, forAlice(7, 7, 5, 7, 0)));
    assertEquals(0600, ROOT.stat(file).permissions());
  }
}
