package io.cowfs.fuse.operations;

import io.cowfs.fuse.wire.Opcode;

/** Which changes a mount makes durable before it answers. */
public enum Synchrony {
  /** None: that is what fsync is for. */
  NONE,
  /** Those of names (the mount option {@code dirsync}). */
  NAMES,
  /**
   * All of them ({@code sync}). After a write to a file the kernel sends FSYNC by itself, as it
   * does for O_SYNC.
   */
  ALL;

  boolean covers(int opcode) {
    return switch (opcode) {
      case Opcode.CREATE,
          Opcode.MKNOD,
          Opcode.MKDIR,
          Opcode.SYMLINK,
          Opcode.LINK,
          Opcode.UNLINK,
          Opcode.RMDIR,
          Opcode.RENAME,
          Opcode.RENAME2 ->
          this != NONE;
      case Opcode.SETATTR, Opcode.SETXATTR, Opcode.REMOVEXATTR, Opcode.FALLOCATE -> this == ALL;
      default -> false;
    };
  }
}
