package io.cowfs.core.fs;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.block.Reference;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.Timestamp;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.StampedLock;

/**
 * An inode in memory. Its attributes and its dirty data are guarded by its lock, which is not
 * reentrant; {@code uses}, {@code handles} and {@code queuedAsIdle} belong to the {@link
 * InodeTable}.
 */
final class Inode {
  static final int SUID = 04000;
  static final int SGID = 02000;
  static final int GROUP_EXECUTE = 010;
  static final int PERMISSIONS = 07777;

  /** Whether a directory has a default access control list. */
  enum DefaultAcl {
    /** To be looked up. */
    UNKNOWN,
    ABSENT
  }

  final long number;
  private final StampedLock lock = new StampedLock();

  // Guarded by the table's map entry.
  int uses;
  int handles;
  boolean queuedAsIdle;

  /** Set when the last name went; read without the lock. */
  volatile boolean unlinked;

  /** False until the attributes were read, and again after a rollback. */
  volatile boolean loaded;

  // Guarded by the lock.
  /** Was made without a name, and has had none yet. */
  boolean mayGetFirstName;

  /** What is known of a directory's default access control list. */
  DefaultAcl hasDefaultAcl = DefaultAcl.UNKNOWN;

  int mode;
  int uid;
  int gid;
  int nlink;
  int rdev;
  int flags;

  /** Bytes of a file or symlink; the number of entries of a directory. */
  long size;

  /** What its extents took when they were last counted, with all their copies. */
  long allocatedSectors;

  /** How often a sector is stored in them on average, rounded up. */
  private int storedCopies = 1;

  long generation;

  /**
   * Added to the generation that is shown: how often a rollback changed the file under the front
   * end.
   */
  int generationShift;

  Timestamp atime;
  Timestamp mtime;
  Timestamp ctime;
  Timestamp btime;

  /** The txg in which the last name went; 0 while there is one. */
  long unlinkedTxg;

  /** The newest txg that changed anything of this inode, as far as memory goes back. */
  long changedTxg;

  /**
   * The newest txg in which fallocate made a hole: what the file takes is known again when that is
   * committed.
   */
  long punchedTxg;

  /**
   * Of the sync thread: how often in a row compressing did not pay, and how many extents to skip it
   * for.
   */
  int compressionMisses;

  int compressionSkips;

  /**
   * The txg that puts cloned ranges into the file's tree; 0 when there are none to come. Until it
   * is durable, what is in memory and in the tree is not the content. Read without the lock too.
   */
  volatile long clonedTxg;

  /** How many sectors those are. */
  long clonedSectors;

  /**
   * The newest txg that may put extents of the file elsewhere on the device; 0 when none will.
   * Until it is durable, nobody may count on where they are.
   */
  long relocatedTxg;

  /** Unsaved data of the newest txg that wrote; null when there is none. */
  DirtyFile dirty;

  /** Unsaved data of the txg that is syncing while {@code dirty} belongs to a later one. */
  DirtyFile syncing;

  Inode(long number) {
    this.number = number;
  }

  Lock readLock() {
    return lock.asReadLock();
  }

  Lock writeLock() {
    return lock.asWriteLock();
  }

  boolean isDirectory() {
    return type() == FileType.DIRECTORY;
  }

  boolean isRegular() {
    return type() == FileType.REGULAR;
  }

  FileType type() {
    return FileType.ofMode(mode);
  }

  private static long sectorsOf(long bytes) {
    return bytes / BlockPointer.SECTOR_BYTES + (bytes % BlockPointer.SECTOR_BYTES == 0 ? 0 : 1);
  }

  /** What a layer will take, until its extents are counted. */
  private static long sectorsOf(DirtyFile layer) {
    return layer == null || layer.isAllocated() ? 0 : (long) layer.pageCount() * layer.copies();
  }

  private static int copiesOf(DirtyFile layer) {
    return layer == null ? 0 : layer.copies();
  }

  /** What stat(2) shows. */
  Attributes attributes() {
    long dirtySectors = sectorsOf(dirty) + sectorsOf(syncing);
    int copies = Math.max(copiesOf(dirty), copiesOf(syncing));
    boolean inline = isRegular() && size <= Items.INLINE_BYTES_MAX;
    long allocated = allocatedSectors + clonedSectors + (inline ? 0 : dirtySectors);
    if (isRegular() && (copies > 0 || clonedSectors > 0)) {
      // Dirty sectors replace others, and what was cut off is freed with the next commit. Which
      // of them only fill holes is known then, too: until it, a sparse file may show too much.
      allocated = Math.min(allocated, sectorsOf(size) * Math.max(storedCopies, copies));
    }
    return new Attributes(
        number,
        generation + generationShift,
        mode,
        nlink,
        uid,
        gid,
        rdev,
        isDirectory() ? size + 2 : size,
        inline && allocated == 0 ? (size + 511) / 512 * 512 : allocated * BlockPointer.SECTOR_BYTES,
        atime,
        mtime,
        ctime,
        btime);
  }

  /**
   * The extents were counted, and take that many sectors.
   *
   * @param bytes the size of the file that they belong to
   */
  void takes(long sectors, long bytes) {
    allocatedSectors = sectors;
    long covered = sectorsOf(bytes);
    long average = covered == 0 ? 1 : sectors / covered + (sectors % covered == 0 ? 0 : 1);
    storedCopies = (int) Math.max(1, Math.min(average, Reference.PLACES_MAX));
  }

  byte[] encode() {
    byte[] value = new byte[InodeFormat.BYTES];
    InodeFormat.putInt(value, InodeFormat.MODE, mode);
    InodeFormat.putInt(value, InodeFormat.UID, uid);
    InodeFormat.putInt(value, InodeFormat.GID, gid);
    InodeFormat.putInt(value, InodeFormat.NLINK, nlink);
    InodeFormat.putInt(value, InodeFormat.RDEV, rdev);
    InodeFormat.putInt(value, InodeFormat.FLAGS, flags);
    InodeFormat.putLong(value, InodeFormat.SIZE, size);
    InodeFormat.putLong(value, InodeFormat.ALLOCATED_SECTORS, allocatedSectors);
    InodeFormat.putLong(value, InodeFormat.GENERATION, generation);
    put(value, InodeFormat.ATIME_SECONDS, InodeFormat.ATIME_NANOS, atime);
    put(value, InodeFormat.MTIME_SECONDS, InodeFormat.MTIME_NANOS, mtime);
    put(value, InodeFormat.CTIME_SECONDS, InodeFormat.CTIME_NANOS, ctime);
    put(value, InodeFormat.BTIME_SECONDS, InodeFormat.BTIME_NANOS, btime);
    return value;
  }

  private static void put(byte[] value, int seconds, int nanos, Timestamp time) {
    InodeFormat.putLong(value, seconds, time.seconds());
    InodeFormat.putInt(value, nanos, time.nanos());
  }

  private static Timestamp time(byte[] value, int seconds, int nanos) {
    return new Timestamp(InodeFormat.getLong(value, seconds), InodeFormat.getInt(value, nanos));
  }

  void decode(byte[] value) throws CorruptBlockException {
    InodeFormat.check(number, value);
    mode = InodeFormat.getInt(value, InodeFormat.MODE);
    if (FileType.ofMode(mode) == null) {
      throw new CorruptBlockException("inode " + number + ": no such type, mode " + mode);
    }
    uid = InodeFormat.getInt(value, InodeFormat.UID);
    gid = InodeFormat.getInt(value, InodeFormat.GID);
    nlink = InodeFormat.getInt(value, InodeFormat.NLINK);
    rdev = InodeFormat.getInt(value, InodeFormat.RDEV);
    flags = InodeFormat.getInt(value, InodeFormat.FLAGS);
    size = InodeFormat.getLong(value, InodeFormat.SIZE);
    takes(InodeFormat.getLong(value, InodeFormat.ALLOCATED_SECTORS), size);
    generation = InodeFormat.getLong(value, InodeFormat.GENERATION);
    atime = time(value, InodeFormat.ATIME_SECONDS, InodeFormat.ATIME_NANOS);
    mtime = time(value, InodeFormat.MTIME_SECONDS, InodeFormat.MTIME_NANOS);
    ctime = time(value, InodeFormat.CTIME_SECONDS, InodeFormat.CTIME_NANOS);
    btime = time(value, InodeFormat.BTIME_SECONDS, InodeFormat.BTIME_NANOS);
    if (size < 0 || allocatedSectors < 0 || nlink < 0) {
      throw new CorruptBlockException("inode " + number + ": negative size, space or link count");
    }
    boolean isShown =
        allocatedSectors <= Long.MAX_VALUE / BlockPointer.SECTOR_BYTES
            && (!isDirectory() || size <= Long.MAX_VALUE - 2);
    if (!isShown) {
      throw new CorruptBlockException("inode " + number + ": impossible size or space");
    }
    if (!atime.isValid() || !mtime.isValid() || !ctime.isValid() || !btime.isValid()) {
      throw new CorruptBlockException("inode " + number + ": impossible time");
    }
    unlinked = nlink == 0;
    hasDefaultAcl = DefaultAcl.UNKNOWN;
  }

  /**
   * Clears what lets others run the file with its owner's rights. Where the group may not execute
   * it, sgid is no such right, and goes only when a user changes the file who is not of its group.
   */
  void killPrivileges(Caller caller) {
    killPrivileges(caller.uid() != 0 && caller.gid() != gid);
  }

  /** The same, on behalf of nobody known: sgid goes in any case. */
  void killPrivileges() {
    killPrivileges(true);
  }

  private void killPrivileges(boolean foreign) {
    if (!isDirectory()) {
      mode &= ~(SUID | ((mode & GROUP_EXECUTE) != 0 || foreign ? SGID : 0));
    }
  }

  /** The unsaved data of exactly this txg, or null. */
  DirtyFile dirtyOf(long txg) {
    if (dirty != null && dirty.txg() == txg) {
      return dirty;
    }
    return syncing != null && syncing.txg() == txg ? syncing : null;
  }
}
