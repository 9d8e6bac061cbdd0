package io.cowfs.core.fs;

/**
 * The value of an access control list's extended attribute, little-endian: {@code
 * linux/posix_acl_xattr.h}.
 */
final class AclFormat {
  static final int VERSION = 0;
  static final int HEADER_BYTES = VERSION + Integer.BYTES;

  static final int ENTRY_TAG = 0;
  static final int ENTRY_PERMISSIONS = ENTRY_TAG + Short.BYTES;
  static final int ENTRY_ID = ENTRY_PERMISSIONS + Short.BYTES;
  static final int ENTRY_BYTES = ENTRY_ID + Integer.BYTES;

  /** The only value of VERSION. */
  static final int VERSION_2 = 2;

  /* Values of ENTRY_TAG, in the order in which entries stand. */
  static final int USER_OBJECT = 0x01;
  static final int USER = 0x02;
  static final int GROUP_OBJECT = 0x04;
  static final int GROUP = 0x08;
  static final int MASK = 0x10;
  static final int OTHER = 0x20;

  private AclFormat() {}
}
