package io.cowfs.core.vfs;

/** The type of an inode. The format bits are those of {@code st_mode}. */
public enum FileType {
  FIFO(0010000),
  CHARACTER_DEVICE(0020000),
  DIRECTORY(0040000),
  BLOCK_DEVICE(0060000),
  REGULAR(0100000),
  SYMLINK(0120000),
  SOCKET(0140000);

  /** The bits of {@code st_mode} that hold the type. */
  public static final int FORMAT_MASK = 0170000;

  private static final FileType[] BY_FORMAT = new FileType[16];

  static {
    for (FileType type : values()) {
      BY_FORMAT[type.format >>> 12] = type;
    }
  }

  private final int format;

  FileType(int format) {
    this.format = format;
  }

  /** The type's bits as in {@code st_mode}. */
  public int format() {
    return format;
  }

  /** The value of {@code d_type} in a directory entry. */
  public int directoryEntryType() {
    return format >>> 12;
  }

  /** The type in the given {@code st_mode}, or null when its bits name none. */
  public static FileType ofMode(int mode) {
    return BY_FORMAT[(mode & FORMAT_MASK) >>> 12];
  }
}
