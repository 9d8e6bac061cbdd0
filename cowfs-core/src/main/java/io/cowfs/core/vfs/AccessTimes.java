package io.cowfs.core.vfs;

/** Which reads set the time of access, as far as whoever mounts a file system has a say in it. */
public enum AccessTimes {
  /** Mounted with {@code noatime}, or read-only. */
  NEVER,
  /** As the file system itself is configured. */
  CONFIGURED,
  /** Mounted with {@code strictatime}. */
  ALWAYS
}
