package io.cowfs.core.vfs;

/** Receives directory entries in the order of their cookies. */
@FunctionalInterface
public interface DirectoryVisitor {
  /**
   * One entry.
   *
   * @param name owned by the visitor; must not be changed
   * @param inode the entry's inode number
   * @param type its type
   * @param cookie resume after this entry by passing it to {@link FileSystem#readDirectory}; stays
   *     valid while entries come and go, and over remounts. Always above 0, and below 2^63
   * @return false when the visitor is full: the entry was not taken, and the scan ends
   * @throws FsException ends the scan and is passed on
   */
  boolean entry(byte[] name, long inode, FileType type, long cookie) throws FsException;
}
