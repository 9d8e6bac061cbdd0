package io.cowfs.core.vfs;

/**
 * What stat(2) shows of an inode.
 *
 * @param inode the inode number, never reused within a dataset
 * @param generation tells two uses of one inode number apart for NFS
 * @param mode type and permission bits as in {@code st_mode}
 * @param size in bytes
 * @param allocatedBytes space taken, in bytes; {@code st_blocks} is this divided by 512
 * @param rdev of device nodes, encoded as the kernel's 32-bit {@code new_encode_dev}
 */
public record Attributes(
    long inode,
    long generation,
    int mode,
    int nlink,
    int uid,
    int gid,
    int rdev,
    long size,
    long allocatedBytes,
    Timestamp atime,
    Timestamp mtime,
    Timestamp ctime,
    Timestamp btime) {

  public FileType type() {
    return FileType.ofMode(mode);
  }

  public boolean isDirectory() {
    return (mode & FileType.FORMAT_MASK) == FileType.DIRECTORY.format();
  }

  public boolean isRegular() {
    return (mode & FileType.FORMAT_MASK) == FileType.REGULAR.format();
  }
}
