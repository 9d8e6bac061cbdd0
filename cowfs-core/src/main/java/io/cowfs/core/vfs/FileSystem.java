package io.cowfs.core.vfs;

import java.nio.ByteBuffer;
import java.util.Set;

/**
 * A file system at the level of inodes, as a kernel sees it. All methods are thread-safe.
 *
 * <p><b>Lookup counts.</b> Each {@link Attributes} returned by {@link #lookup}, {@link #create},
 * {@link #makeDirectory}, {@link #makeNode}, {@link #makeSymlink} and {@link #link} counts one
 * reference of the front end to that inode, and so does each {@link #reference}. The front end
 * gives them back with {@link #forget}. An inode without links lives on while it is referenced or
 * open. The root is always there and needs no count.
 *
 * <p><b>Errors.</b> Each method throws {@link FsException} and has then changed nothing, if not
 * said otherwise. Common to all: {@link FsError#IO} (storage failed, or the pool is suspended),
 * {@link FsError#STALE} (an inode number that is not, or no longer, there), {@link
 * FsError#READ_ONLY} and {@link FsError#NO_SPACE} from every change, {@link FsError#NAME_TOO_LONG}
 * for names over 255 bytes and {@link FsError#INVALID} for empty ones, and {@link
 * FsError#NOT_A_DIRECTORY} where a parent is none; {@link FsError#NOT_PERMITTED} for what an {@link
 * InodeFlag} forbids. Permissions are not checked here: that is the front end's part.
 *
 * <p><b>Buffers</b> are the caller's and are used only during the call. Names and values passed in
 * must not be changed afterwards; those returned belong to the caller.
 */
public interface FileSystem {
  /** The inode number of the root directory. */
  long ROOT_INODE = 1;

  /** Longest name in bytes. */
  int NAME_LENGTH_MAX = 255;

  /** A new regular file with its handle, as answered by {@link #create}. */
  record Created(Attributes attributes, FileHandle handle) {}

  /** Who hears of changes that did not come through the front end. At most one; NONE at first. */
  void setCacheInvalidator(CacheInvalidator invalidator);

  /**
   * Has a mount's options decide which reads set access times; CONFIGURED at first. Holds from the
   * next read on, also for what is open.
   */
  void setAccessTimes(AccessTimes ofFiles, AccessTimes ofDirectories);

  /**
   * True for a directory whose attributes, and whose names with what they lead to, may change at
   * any time without the front end being told: it must not keep them, but ask each time.
   */
  default boolean changesUnannounced(long directory) {
    return false;
  }

  /**
   * True for a directory in which {@link #makeDirectory} keeps the state of the file system: a
   * front end that holds back data hands it over before it calls that.
   */
  default boolean keepsAllWritten(long directory) {
    return false;
  }

  /**
   * Finds a name in a directory; {@code .} and {@code ..} too. Counts one reference.
   *
   * @throws FsException NOT_FOUND when there is no such name
   */
  Attributes lookup(long parent, byte[] name) throws FsException;

  /**
   * Counts one reference to an inode by its number, as a lookup would (READDIRPLUS entries, file
   * handles of NFS).
   *
   * @throws FsException STALE when there is no such inode
   */
  Attributes reference(long inode) throws FsException;

  /** Gives back {@code count} references. Never fails; an unknown inode is ignored. */
  void forget(long inode, long count);

  Attributes getAttributes(long inode) throws FsException;

  /**
   * The front end has forgotten what it had of a file that it was to {@link
   * CacheInvalidator#settle}, and takes over these attributes: from here on, changes to the file
   * count again.
   */
  Attributes settled(long inode) throws FsException;

  /**
   * Changes attributes, all or none.
   *
   * @param handle the open file over which the change was asked (ftruncate), or null
   * @throws FsException IS_A_DIRECTORY or INVALID for the size of what is no regular file,
   *     FILE_TOO_LARGE
   */
  Attributes setAttributes(Caller caller, long inode, FileHandle handle, AttributeChange change)
      throws FsException;

  /** What the inode is marked with. */
  Set<InodeFlag> getFlags(long inode) throws FsException;

  /**
   * Marks the inode with these flags and no others. Who may do that is the front end's affair.
   *
   * @throws FsException NOT_SUPPORTED for what is neither a regular file nor a directory
   */
  void setFlags(long inode, Set<InodeFlag> flags) throws FsException;

  /** The target of a symbolic link. INVALID when the inode is none. */
  byte[] readSymlink(long inode) throws FsException;

  /**
   * Makes a regular file and opens it. The mode is that asked for; the umask is applied here.
   *
   * @throws FsException EXISTS
   */
  Created create(Caller caller, long parent, byte[] name, int mode, Set<OpenFlags> flags)
      throws FsException;

  /**
   * Makes a regular file without a name and opens it (O_TMPFILE). {@link #link} may give it its
   * first name while it is held; else it is gone when nobody holds it any more, or after a crash.
   *
   * @param directory whose rules for new files hold for it; nothing is entered there
   * @throws FsException NOT_FOUND when the directory was removed
   */
  Created createUnnamed(Caller caller, long directory, int mode, Set<OpenFlags> flags)
      throws FsException;

  /** Makes a directory. Throws EXISTS, TOO_MANY_LINKS. */
  Attributes makeDirectory(Caller caller, long parent, byte[] name, int mode) throws FsException;

  /** Makes a regular file, FIFO, socket or device node (type from the mode). Throws EXISTS. */
  Attributes makeNode(Caller caller, long parent, byte[] name, int mode, int rdev)
      throws FsException;

  /** Makes a symbolic link. Throws EXISTS; NAME_TOO_LONG for a target over 4,095 bytes. */
  Attributes makeSymlink(Caller caller, long parent, byte[] name, byte[] target) throws FsException;

  /**
   * Makes another name for a file. Throws EXISTS, NOT_PERMITTED for directories, TOO_MANY_LINKS.
   */
  Attributes link(long inode, long newParent, byte[] newName) throws FsException;

  /** Removes a name that is no directory. Throws NOT_FOUND, IS_A_DIRECTORY. */
  void unlink(long parent, byte[] name) throws FsException;

  /**
   * Removes an empty directory. Throws NOT_FOUND, NOT_A_DIRECTORY, NOT_EMPTY, INVALID for {@code
   * .}.
   */
  void removeDirectory(long parent, byte[] name) throws FsException;

  /**
   * Renames atomically. Throws NOT_FOUND, EXISTS, NOT_EMPTY, IS_A_DIRECTORY, NOT_A_DIRECTORY,
   * INVALID for a directory moved below itself.
   */
  void rename(long parent, byte[] name, long newParent, byte[] newName, RenameMode mode)
      throws FsException;

  /**
   * The same, and in the same atomic step a whiteout takes the place of the old name: a character
   * device 0:0, by which overlayfs tells that a name of a lower layer is hidden.
   *
   * @param caller who owns the whiteout
   * @throws FsException INVALID for {@link RenameMode#EXCHANGE}
   */
  void renameLeavingWhiteout(
      Caller caller, long parent, byte[] name, long newParent, byte[] newName, RenameMode mode)
      throws FsException;

  /** Opens a regular file. IS_A_DIRECTORY for a directory. TRUNCATE is done here, atomically. */
  FileHandle open(long inode, Set<OpenFlags> flags) throws FsException;

  /**
   * Reads up to {@code length} bytes at {@code offset} into the buffer's position and advances it.
   *
   * @param destination a direct, or array-backed, buffer with at least {@code length} remaining
   * @return the bytes read; fewer than asked only at the end of the file
   * @throws FsException IO when a checksum does not match; nothing of the bad data is returned;
   *     INVALID when the offset is negative
   */
  int read(FileHandle handle, long offset, int length, ByteBuffer destination) throws FsException;

  /**
   * Writes all remaining bytes of the source at {@code offset}. May wait for the transaction groups
   * to catch up.
   *
   * @param killPrivileges clear suid and sgid as write(2) by an unprivileged caller does
   * @throws FsException NO_SPACE, FILE_TOO_LARGE
   */
  void write(
      Caller caller, FileHandle handle, long offset, ByteBuffer source, boolean killPrivileges)
      throws FsException;

  /**
   * What {@link #copyRange} copies. Offsets and length in bytes; the files may be the same.
   *
   * @param source open for reading
   * @param target open for writing
   */
  record Copy(FileHandle source, long fromOffset, FileHandle target, long toOffset, long length) {}

  /**
   * Copies a range of a file into a file, as copy_file_range(2): by reference where that is
   * possible, so that it takes neither time nor space. What the front end holds back of both ranges
   * was handed over before.
   *
   * @param killPrivileges as in {@link #write}
   * @return the bytes copied, which may be fewer than asked for; 0 only when the source ends before
   *     the range or nothing was asked for
   * @throws FsException INVALID when the ranges overlap in one file, FILE_TOO_LARGE, NO_SPACE,
   *     CROSS_DEVICE where the caller is to copy by reading and writing
   */
  long copyRange(Caller caller, Copy copy, boolean killPrivileges) throws FsException;

  /**
   * Makes the file's data and attributes, or the directory's entries, durable.
   *
   * @param dataOnly attributes not needed to read the data back may stay behind (fdatasync)
   */
  void sync(Caller caller, long inode, boolean dataOnly) throws FsException;

  /** Makes everything durable that was done before the call. */
  void syncAll() throws FsException;

  /** Closes a handle of {@link #open}, {@link #create} or {@link #openDirectory}. Never fails. */
  void release(FileHandle handle);

  /**
   * Opens a directory.
   *
   * @param flags of which NO_ATIME matters
   * @throws FsException NOT_A_DIRECTORY
   */
  FileHandle openDirectory(long inode, Set<OpenFlags> flags) throws FsException;

  /**
   * Visits the entries after {@code cookie} (0 for the start), {@code .} and {@code ..} first. Each
   * entry that exists during the whole scan is visited exactly once.
   */
  void readDirectory(FileHandle handle, long cookie, DirectoryVisitor visitor) throws FsException;

  FileSystemStatus status() throws FsException;

  /**
   * Gives space that is free back to what is below the file system, as fstrim(8) asks for.
   *
   * @param start of the part of the device to look at, in bytes
   * @param length of that part
   * @param lengthMin free runs shorter than this are left
   * @return the bytes given back
   * @throws FsException INVALID when the part begins behind the end of the device
   */
  long trim(long start, long length, long lengthMin) throws FsException;

  /**
   * Drops all that is not durable, as a crash would, and answers IO to everything from then on: for
   * tests of programs and of file systems. What is shared with other file systems goes with it. It
   * ends with the next opening.
   */
  void shutDown();

  /**
   * Sets an extended attribute. Names carry their namespace. Throws EXISTS, NO_ATTRIBUTE, RANGE,
   * ARGUMENT_TOO_LONG for a value over 64 KiB, NO_SPACE.
   */
  void setXattr(long inode, byte[] name, byte[] value, XattrMode mode) throws FsException;

  /**
   * Sets an access control list, and with it the permission bits of the mode. It is read, listed
   * and removed as the extended attribute {@link AclKind#xattrName}; one that says no more than the
   * mode is not kept.
   *
   * @param acl in the form of that attribute's value; without entries, the list is removed
   * @param clearSgid whoever sets it may not keep the file's sgid
   * @throws FsException INVALID for a malformed list, ACCESS_DENIED for a default list of what is
   *     no directory, NOT_SUPPORTED for a symbolic link
   */
  void setAcl(long inode, AclKind kind, byte[] acl, boolean clearSgid) throws FsException;

  /** The value of an extended attribute. Throws NO_ATTRIBUTE. */
  byte[] getXattr(long inode, byte[] name) throws FsException;

  /** The names of all extended attributes, each followed by a NUL byte. */
  byte[] listXattrs(long inode) throws FsException;

  /** Removes an extended attribute. Throws NO_ATTRIBUTE. */
  void removeXattr(long inode, byte[] name) throws FsException;

  /** The next data or hole at or after the offset. Throws NO_SUCH_DEVICE_OR_OFFSET past the end. */
  long seek(FileHandle handle, long offset, SeekTarget target) throws FsException;

  /** What {@link #seek} looks for. */
  enum SeekTarget {
    DATA,
    HOLE
  }

  /**
   * Allocates, punches or zeroes a range, as fallocate(2).
   *
   * @throws FsException NOT_SUPPORTED for a mode that the file system does not have; NO_SPACE or
   *     QUOTA_EXCEEDED where the range could not be written as things are
   */
  void allocate(FileHandle handle, AllocationMode mode, long offset, long length)
      throws FsException;

  /** The modes of fallocate(2). KEEP variants leave the size of the file as it is. */
  enum AllocationMode {
    RESERVE,
    RESERVE_KEEP_SIZE,
    PUNCH_HOLE,
    ZERO_RANGE,
    ZERO_RANGE_KEEP_SIZE
  }
}
