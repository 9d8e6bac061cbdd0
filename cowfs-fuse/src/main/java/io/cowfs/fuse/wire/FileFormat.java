package io.cowfs.fuse.wire;

/**
 * Structures about open files: {@code fuse_open_in}, {@code fuse_create_in}, {@code fuse_open_out},
 * {@code fuse_release_in}, {@code fuse_read_in}, {@code fuse_write_in}, {@code fuse_write_out},
 * {@code fuse_fsync_in}, {@code fuse_lseek_in}, {@code fuse_lseek_out}, {@code fuse_fallocate_in},
 * {@code fuse_copy_file_range_in}, {@code fuse_copy_file_range_out}.
 */
public final class FileFormat {
  public static final int OPEN_FLAGS = 0;
  public static final int OPEN_OPEN_FLAGS = OPEN_FLAGS + Integer.BYTES;
  public static final int OPEN_BYTES = OPEN_OPEN_FLAGS + Integer.BYTES;

  public static final int CREATE_FLAGS = 0;
  public static final int CREATE_MODE = CREATE_FLAGS + Integer.BYTES;
  public static final int CREATE_UMASK = CREATE_MODE + Integer.BYTES;
  public static final int CREATE_OPEN_FLAGS = CREATE_UMASK + Integer.BYTES;
  public static final int CREATE_BYTES = CREATE_OPEN_FLAGS + Integer.BYTES;

  /** In the open flags of OPEN and CREATE: clear suid and sgid with the truncation. */
  public static final int OPEN_KILL_SUIDGID = 1;

  static final int OPENED_HANDLE = 0;
  static final int OPENED_FLAGS = OPENED_HANDLE + Long.BYTES;
  static final int OPENED_PADDING = OPENED_FLAGS + Integer.BYTES;

  /** Bytes of {@code fuse_open_out}. */
  public static final int OPENED_BYTES = OPENED_PADDING + Integer.BYTES;

  /* Bits of OPENED_FLAGS. */
  public static final int OPENED_KEEP_CACHE = 1 << 1;
  public static final int OPENED_CACHE_DIRECTORY = 1 << 3;

  public static final int RELEASE_HANDLE = 0;
  static final int RELEASE_FLAGS = RELEASE_HANDLE + Long.BYTES;
  static final int RELEASE_RELEASE_FLAGS = RELEASE_FLAGS + Integer.BYTES;
  static final int RELEASE_LOCK_OWNER = RELEASE_RELEASE_FLAGS + Integer.BYTES;
  public static final int RELEASE_BYTES = RELEASE_LOCK_OWNER + Long.BYTES;

  public static final int READ_HANDLE = 0;
  public static final int READ_OFFSET = READ_HANDLE + Long.BYTES;
  public static final int READ_SIZE = READ_OFFSET + Long.BYTES;
  static final int READ_READ_FLAGS = READ_SIZE + Integer.BYTES;
  static final int READ_LOCK_OWNER = READ_READ_FLAGS + Integer.BYTES;
  static final int READ_FLAGS = READ_LOCK_OWNER + Long.BYTES;
  static final int READ_PADDING = READ_FLAGS + Integer.BYTES;
  public static final int READ_BYTES = READ_PADDING + Integer.BYTES;

  public static final int WRITE_HANDLE = 0;
  public static final int WRITE_OFFSET = WRITE_HANDLE + Long.BYTES;
  public static final int WRITE_SIZE = WRITE_OFFSET + Long.BYTES;
  public static final int WRITE_WRITE_FLAGS = WRITE_SIZE + Integer.BYTES;
  static final int WRITE_LOCK_OWNER = WRITE_WRITE_FLAGS + Integer.BYTES;
  static final int WRITE_FLAGS = WRITE_LOCK_OWNER + Long.BYTES;
  static final int WRITE_PADDING = WRITE_FLAGS + Integer.BYTES;
  public static final int WRITE_BYTES = WRITE_PADDING + Integer.BYTES;

  /** In WRITE_WRITE_FLAGS: pages of the kernel's cache, written some time after write(2). */
  public static final int WRITE_CACHE = 1;

  /** In WRITE_WRITE_FLAGS: clear suid and sgid. */
  public static final int WRITE_KILL_SUIDGID = 1 << 2;

  public static final int WRITTEN_SIZE = 0;
  static final int WRITTEN_PADDING = WRITTEN_SIZE + Integer.BYTES;
  public static final int WRITTEN_BYTES = WRITTEN_PADDING + Integer.BYTES;

  public static final int FSYNC_HANDLE = 0;
  public static final int FSYNC_FLAGS = FSYNC_HANDLE + Long.BYTES;
  static final int FSYNC_PADDING = FSYNC_FLAGS + Integer.BYTES;
  public static final int FSYNC_BYTES = FSYNC_PADDING + Integer.BYTES;

  /** In the flags of FSYNC: fdatasync(2) was called. */
  public static final int FSYNC_DATA_ONLY = 1;

  public static final int LSEEK_HANDLE = 0;
  public static final int LSEEK_OFFSET = LSEEK_HANDLE + Long.BYTES;
  public static final int LSEEK_WHENCE = LSEEK_OFFSET + Long.BYTES;
  static final int LSEEK_PADDING = LSEEK_WHENCE + Integer.BYTES;
  public static final int LSEEK_BYTES = LSEEK_PADDING + Integer.BYTES;

  public static final int SEEK_DATA = 3;
  public static final int SEEK_HOLE = 4;

  public static final int SOUGHT_OFFSET = 0;
  public static final int SOUGHT_BYTES = SOUGHT_OFFSET + Long.BYTES;

  public static final int FALLOCATE_HANDLE = 0;
  public static final int FALLOCATE_OFFSET = FALLOCATE_HANDLE + Long.BYTES;
  public static final int FALLOCATE_LENGTH = FALLOCATE_OFFSET + Long.BYTES;
  public static final int FALLOCATE_MODE = FALLOCATE_LENGTH + Long.BYTES;
  static final int FALLOCATE_PADDING = FALLOCATE_MODE + Integer.BYTES;
  public static final int FALLOCATE_BYTES = FALLOCATE_PADDING + Integer.BYTES;

  /* Bits of FALLOCATE_MODE, as in fallocate(2). */
  public static final int FALLOC_KEEP_SIZE = 0x01;
  public static final int FALLOC_PUNCH_HOLE = 0x02;
  public static final int FALLOC_ZERO_RANGE = 0x10;

  public static final int COPY_SOURCE_HANDLE = 0;
  public static final int COPY_SOURCE_OFFSET = COPY_SOURCE_HANDLE + Long.BYTES;
  static final int COPY_TARGET_NODE_ID = COPY_SOURCE_OFFSET + Long.BYTES;
  public static final int COPY_TARGET_HANDLE = COPY_TARGET_NODE_ID + Long.BYTES;
  public static final int COPY_TARGET_OFFSET = COPY_TARGET_HANDLE + Long.BYTES;
  public static final int COPY_LENGTH = COPY_TARGET_OFFSET + Long.BYTES;
  public static final int COPY_FLAGS = COPY_LENGTH + Long.BYTES;
  public static final int COPY_BYTES = COPY_FLAGS + Long.BYTES;

  public static final int COPIED_SIZE = 0;

  /** Bytes of {@code fuse_copy_file_range_out}. */
  public static final int COPIED_BYTES = COPIED_SIZE + Long.BYTES;

  private FileFormat() {}
}
