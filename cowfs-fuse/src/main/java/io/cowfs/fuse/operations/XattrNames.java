package io.cowfs.fuse.operations;

import io.cowfs.core.vfs.AclKind;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * The names of extended attributes that there are: those in the namespaces of xattr(7); of {@code
 * system} only the access control lists, where the kernel obeys them. The kernel itself checks
 * neither the namespace nor that a name follows, and shows everyone what a list has.
 */
public final class XattrNames {
  private static final byte[] TRUSTED_PREFIX = "trusted.".getBytes(StandardCharsets.US_ASCII);

  private static final List<byte[]> PREFIXES =
      List.of(
          TRUSTED_PREFIX,
          "user.".getBytes(StandardCharsets.US_ASCII),
          "security.".getBytes(StandardCharsets.US_ASCII));

  private XattrNames() {}

  /**
   * Lets only names pass that there can be.
   *
   * @param acls whether the kernel obeys access control lists
   * @throws FsException INVALID for a namespace alone; NOT_SUPPORTED for what is in none
   */
  public static void require(byte[] name, boolean acls) throws FsException {
    for (byte[] prefix : PREFIXES) {
      if (startsWith(name, prefix)) {
        if (name.length == prefix.length) {
          throw new FsException(FsError.INVALID);
        }
        return;
      }
    }
    if (!acls || AclKind.ofXattr(name) == null) {
      throw new FsException(FsError.NOT_SUPPORTED);
    }
  }

  /**
   * Of a list, what a user sees: privileged callers alone see the trusted namespace.
   *
   * @param names each ended by NUL
   */
  public static byte[] visibleTo(int uid, byte[] names) {
    if (uid == 0) {
      return names;
    }
    ByteArrayOutputStream visible = new ByteArrayOutputStream(names.length);
    for (int from = 0, to = 0; to < names.length; to++) {
      if (names[to] == 0) {
        byte[] name = Arrays.copyOfRange(names, from, to + 1);
        if (!startsWith(name, TRUSTED_PREFIX)) {
          visible.writeBytes(name);
        }
        from = to + 1;
      }
    }
    return visible.toByteArray();
  }

  private static boolean startsWith(byte[] name, byte[] prefix) {
    return name.length >= prefix.length
        && Arrays.equals(name, 0, prefix.length, prefix, 0, prefix.length);
  }
}
