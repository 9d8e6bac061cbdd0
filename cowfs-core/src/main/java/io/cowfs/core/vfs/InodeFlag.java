package io.cowfs.core.vfs;

/** What a file or directory was marked with, as chattr(1) does. */
public enum InodeFlag {
  /**
   * Nothing of it may change: neither content nor attributes, and in a directory no names. Who had
   * a file open for writing before may go on.
   */
  IMMUTABLE,
  /** A file is only written at its end; names are only added to a directory. */
  APPEND_ONLY,
  /** Reading leaves the access time as it is. */
  NO_ATIME,
  /** New data is stored as it is. */
  NO_COMPRESSION,
  /** Left out by dump(8); means nothing here. */
  NO_DUMP
}
