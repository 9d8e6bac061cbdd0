package io.cowfs.core.vfs;

/** The variants of setxattr(2). */
public enum XattrMode {
  CREATE_OR_REPLACE,
  /** {@link FsError#EXISTS} when the attribute is there. */
  CREATE,
  /** {@link FsError#NO_ATTRIBUTE} when it is not. */
  REPLACE
}
