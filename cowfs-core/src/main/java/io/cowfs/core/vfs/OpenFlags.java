package io.cowfs.core.vfs;

import java.util.Set;

/** How a file is opened: the flags of open(2) that the file system acts on. */
public enum OpenFlags {
  READ,
  WRITE,
  APPEND,
  TRUNCATE,
  /** Every write is durable, data and attributes, before it is answered (O_SYNC). */
  SYNC,
  /** Every write's data is durable before it is answered (O_DSYNC). */
  DATA_SYNC,
  /** The caller may not keep suid and sgid over the truncation. */
  KILL_PRIVILEGES,
  /** Do not update the access time (O_NOATIME). */
  NO_ATIME;

  public static final Set<OpenFlags> READ_ONLY = Set.of(READ);
}
