package io.cowfs.core.vfs;

import java.nio.charset.StandardCharsets;

/** The two access control lists of an inode, as in acl(5). */
public enum AclKind {
  /** Who may access it. */
  ACCESS("system.posix_acl_access"),
  /** What is made in a directory gets this one. */
  DEFAULT("system.posix_acl_default");

  private final String xattrName;

  AclKind(String xattrName) {
    this.xattrName = xattrName;
  }

  /** The name of the extended attribute in which it stands; owned by the caller. */
  public byte[] xattrName() {
    return xattrName.getBytes(StandardCharsets.US_ASCII);
  }

  /** The list that stands under this name of an extended attribute, or null. */
  public static AclKind ofXattr(byte[] name) {
    if (name.length == 0 || name[0] != 's') {
      return null;
    }
    String text = new String(name, StandardCharsets.ISO_8859_1);
    for (AclKind kind : values()) {
      if (kind.xattrName.equals(text)) {
        return kind;
      }
    }
    return null;
  }
}
