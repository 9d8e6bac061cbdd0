package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.Timestamp;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Decodes items of a dataset's tree: inodes, names, xattrs, lists of access control. */
public final class ItemsFuzz {
  private static final int INODE = 0;
  private static final int NAME = 1;
  private static final int XATTR = 2;
  private static final int ACL = 3;

  private ItemsFuzz() {}

  /** Called by the fuzzer. The first byte says which kind of item follows. */
  public static void fuzzerTestOneInput(byte[] input) {
    if (input.length == 0) {
      return;
    }
    byte[] value = Arrays.copyOfRange(input, 1, input.length);
    try {
      switch (input[0] & 3) {
        case INODE -> inode(value);
        case NAME -> name(value);
        case XATTR -> xattr(value);
        default -> acl(value);
      }
    } catch (CorruptBlockException refused) {
      assertEquals(1, refused.getMessage().lines().count());
    }
  }

  private static void inode(byte[] value) throws CorruptBlockException {
    Inode inode = new Inode(7);
    inode.decode(value);
    assertTrue(inode.attributes().type() != null && inode.attributes().allocatedBytes() >= 0);
    for (Timestamp time : new Timestamp[] {inode.atime, inode.mtime, inode.ctime, inode.btime}) {
      assertTrue(time.isValid(), time::toString);
    }
    assertArrayEquals(value, inode.encode());
  }

  private static void name(byte[] value) throws CorruptBlockException {
    NameFormat.Entry entry = NameFormat.decode(value);
    assertTrue(entry.inode() > 0, "inode " + entry.inode());
    try {
      DirectoryItems.checkName(entry.name());
    } catch (FsException impossible) {
      throw new AssertionError("a name that cannot be", impossible);
    }
    assertTrue(!DirectoryItems.isDot(entry.name()) && !DirectoryItems.isDotDot(entry.name()));
    assertTrue(NameFormat.isNamed(value, entry.name()));
    assertArrayEquals(value, NameFormat.encode(entry.inode(), entry.type(), entry.name()));
  }

  private static void xattr(byte[] value) throws CorruptBlockException {
    XattrFormat.Xattr xattr = XattrFormat.decode(value);
    assertTrue(xattr.name().length > 0 && xattr.length() <= Xattrs.VALUE_BYTES_MAX);
    for (byte b : xattr.name()) {
      assertTrue(b != 0, "NUL in a name");
    }
    assertArrayEquals(
        value,
        xattr.isExternal()
            ? XattrFormat.encodeExternal(xattr.name(), xattr.length(), xattr.valueId())
            : XattrFormat.encodeInline(xattr.name(), xattr.inlineValue()));
  }

  private static void acl(byte[] value) {
    Acl acl;
    try {
      acl = Acl.decode(value);
    } catch (FsException refused) {
      assertTrue(
          refused.error() == FsError.INVALID || refused.error() == FsError.NOT_SUPPORTED,
          refused::toString);
      return;
    }
    assertArrayEquals(value, acl.encode());
    assertEquals(acl.appliedTo(0755) & 07000, 0);
    acl.withMode(0640);
    acl.forNewFile(0640);
  }

  /** Inputs to begin with. */
  public static byte[][] seeds() {
    Inode inode = new Inode(7);
    inode.mode = FileType.REGULAR.format() | 0644;
    inode.nlink = 1;
    inode.size = 5000;
    inode.allocatedSectors = 2;
    Timestamp now = new Timestamp(1_700_000_000, 999_999_999);
    inode.atime = now;
    inode.mtime = now;
    inode.ctime = now;
    inode.btime = now;
    byte[] name = "user.name".getBytes(StandardCharsets.US_ASCII);
    byte[] acl = {
      2, 0, 0, 0, 1, 0, 7, 0, -1, -1, -1, -1, 2, 0, 5, 0, 9, 0, 0, 0, 4, 0, 5, 0, -1, -1, -1, -1,
      16, 0, 7, 0, -1, -1, -1, -1, 32, 0, 5, 0, -1, -1, -1, -1
    };
    return new byte[][] {
      seed(INODE, inode.encode()),
      seed(NAME, NameFormat.encode(9, FileType.DIRECTORY, name)),
      seed(NAME, NameFormat.encode(9, null, name)),
      seed(XATTR, XattrFormat.encodeInline(name, new byte[] {1, 2, 3})),
      seed(XATTR, XattrFormat.encodeExternal(name, 40_000, 12)),
      seed(ACL, acl)
    };
  }

  private static byte[] seed(int kind, byte[] value) {
    byte[] seed = new byte[1 + value.length];
    seed[0] = (byte) kind;
    System.arraycopy(value, 0, seed, 1, value.length);
    return seed;
  }
}
