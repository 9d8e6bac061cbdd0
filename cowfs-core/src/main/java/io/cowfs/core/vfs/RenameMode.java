package io.cowfs.core.vfs;

/** The variants of renameat2(2). */
public enum RenameMode {
  /** An existing target is replaced. */
  REPLACE,
  /** An existing target is an error ({@link FsError#EXISTS}). */
  NO_REPLACE,
  /** Both must exist; they change places atomically. */
  EXCHANGE
}
