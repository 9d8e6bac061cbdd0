package io.cowfs.core.fs;

import io.cowfs.core.vfs.AccessTimes;
import io.cowfs.core.vfs.AclKind;
import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.CacheInvalidator;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.DirectoryVisitor;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileSystemStatus;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.InodeFlag;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.core.vfs.RenameMode;
import io.cowfs.core.vfs.XattrMode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * A dataset's file system with its snapshots in it, read-only, below {@code .cowfs} in the root
 * directory: {@code .cowfs/snapshot/NAME} and {@code .cowfs/checkpoint/NAME}. Thread-safe.
 *
 * <p>It only decides who answers, by the inode number or handle: the live volume, {@link
 * SnapshotDirectories} or {@link SnapshotTrees}. The volume knows nothing of {@code .cowfs}, and
 * nothing can be put in its place; an entry of that name that was in the dataset before is hidden.
 */
public final class BrowsableFileSystem implements FileSystem {
  private static final byte[] CONTROL_NAME = ".cowfs".getBytes(StandardCharsets.US_ASCII);

  /** Where {@code .cowfs} is listed: after {@code ..}, before the first name of a volume. */
  private static final long CONTROL_COOKIE = Items.FIRST_COOKIE - 1;

  private final FileSystem live;
  private final SnapshotTrees trees;
  private final SnapshotDirectories directories;
  private final BooleanSupplier listsControl;

  /**
   * @param live of which the snapshots are
   * @param rights who may change the snapshots
   * @param listsControl whether listing the root directory shows {@code .cowfs}; when that changes,
   *     {@link Volume#rootListingChanged} is to be called. It is found by its name in any case
   */
  public BrowsableFileSystem(
      Volume live, SnapshotShelf shelf, SnapshotRights rights, BooleanSupplier listsControl) {
    this.live = live;
    this.trees = new SnapshotTrees(live, live.services(), shelf);
    this.directories = new SnapshotDirectories(live, trees, shelf, rights);
    this.listsControl = listsControl;
  }

  private FileSystem of(long number) {
    if (!BrowseNumbers.isBrowsed(number)) {
      return live;
    }
    return BrowseNumbers.slot(number) == 0 ? directories : trees;
  }

  private FileSystem of(FileHandle handle) {
    if (SnapshotTrees.owns(handle)) {
      return trees;
    }
    return SnapshotDirectories.owns(handle) ? directories : live;
  }

  private static boolean isControl(long parent, byte[] name) {
    return parent == ROOT_INODE && Arrays.equals(name, CONTROL_NAME);
  }

  private static boolean isSnapshotRoot(long number) {
    return BrowseNumbers.isBrowsed(number)
        && BrowseNumbers.slot(number) != 0
        && BrowseNumbers.inner(number) == ROOT_INODE;
  }

  private static void requireFree(long parent, byte[] name) throws FsException {
    if (isControl(parent, name)) {
      throw new FsException(FsError.EXISTS);
    }
  }

  /** What is kept of the past is never written to: nothing there has an access time to set. */
  @Override
  public void setAccessTimes(AccessTimes ofFiles, AccessTimes ofDirectories) {
    live.setAccessTimes(ofFiles, ofDirectories);
  }

  @Override
  public void setCacheInvalidator(CacheInvalidator invalidator) {
    live.setCacheInvalidator(invalidator);
  }

  @Override
  public boolean changesUnannounced(long directory) {
    return of(directory).changesUnannounced(directory);
  }

  @Override
  public boolean keepsAllWritten(long directory) {
    return of(directory).keepsAllWritten(directory);
  }

  @Override
  public Attributes lookup(long parent, byte[] name) throws FsException {
    if (isControl(parent, name)) {
      return directories.reference(BrowseNumbers.CONTROL);
    }
    if (isSnapshotRoot(parent) && DirectoryItems.isDotDot(name)) {
      return directories.reference(trees.listedIn(parent));
    }
    return of(parent).lookup(parent, name);
  }

  @Override
  public Attributes reference(long inode) throws FsException {
    return of(inode).reference(inode);
  }

  @Override
  public void forget(long inode, long count) {
    of(inode).forget(inode, count);
  }

  @Override
  public Attributes getAttributes(long inode) throws FsException {
    return of(inode).getAttributes(inode);
  }

  @Override
  public Attributes settled(long inode) throws FsException {
    return of(inode).settled(inode);
  }

  @Override
  public Attributes setAttributes(
      Caller caller, long inode, FileHandle handle, AttributeChange change) throws FsException {
    return of(inode).setAttributes(caller, inode, handle, change);
  }

  @Override
  public Set<InodeFlag> getFlags(long inode) throws FsException {
    return of(inode).getFlags(inode);
  }

  @Override
  public void setFlags(long inode, Set<InodeFlag> flags) throws FsException {
    of(inode).setFlags(inode, flags);
  }

  @Override
  public byte[] readSymlink(long inode) throws FsException {
    return of(inode).readSymlink(inode);
  }

  @Override
  public Created create(Caller caller, long parent, byte[] name, int mode, Set<OpenFlags> flags)
      throws FsException {
    requireFree(parent, name);
    return of(parent).create(caller, parent, name, mode, flags);
  }

  @Override
  public Created createUnnamed(Caller caller, long directory, int mode, Set<OpenFlags> flags)
      throws FsException {
    return of(directory).createUnnamed(caller, directory, mode, flags);
  }

  @Override
  public Attributes makeDirectory(Caller caller, long parent, byte[] name, int mode)
      throws FsException {
    requireFree(parent, name);
    return of(parent).makeDirectory(caller, parent, name, mode);
  }

  @Override
  public Attributes makeNode(Caller caller, long parent, byte[] name, int mode, int rdev)
      throws FsException {
    requireFree(parent, name);
    return of(parent).makeNode(caller, parent, name, mode, rdev);
  }

  @Override
  public Attributes makeSymlink(Caller caller, long parent, byte[] name, byte[] target)
      throws FsException {
    requireFree(parent, name);
    return of(parent).makeSymlink(caller, parent, name, target);
  }

  @Override
  public Attributes link(long inode, long newParent, byte[] newName) throws FsException {
    requireFree(newParent, newName);
    requireOneTree(inode, newParent);
    return of(newParent).link(inode, newParent, newName);
  }

  @Override
  public void unlink(long parent, byte[] name) throws FsException {
    if (isControl(parent, name)) {
      throw new FsException(FsError.IS_A_DIRECTORY);
    }
    of(parent).unlink(parent, name);
  }

  @Override
  public void removeDirectory(long parent, byte[] name) throws FsException {
    if (isControl(parent, name)) {
      throw new FsException(FsError.NOT_PERMITTED);
    }
    of(parent).removeDirectory(parent, name);
  }

  @Override
  public void rename(long parent, byte[] name, long newParent, byte[] newName, RenameMode mode)
      throws FsException {
    checkRename(parent, name, newParent, newName, mode);
    of(parent).rename(parent, name, newParent, newName, mode);
  }

  @Override
  public void renameLeavingWhiteout(
      Caller caller, long parent, byte[] name, long newParent, byte[] newName, RenameMode mode)
      throws FsException {
    checkRename(parent, name, newParent, newName, mode);
    of(parent).renameLeavingWhiteout(caller, parent, name, newParent, newName, mode);
  }

  private static void checkRename(
      long parent, byte[] name, long newParent, byte[] newName, RenameMode mode)
      throws FsException {
    if (mode == RenameMode.NO_REPLACE) {
      requireFree(newParent, newName);
    }
    if (isControl(parent, name) || isControl(newParent, newName)) {
      throw new FsException(FsError.NOT_PERMITTED);
    }
    requireOneTree(parent, newParent);
  }

  /**
   * Trees of different snapshots are like different file systems: what cannot be moved is copied.
   * But nothing is to be copied into or out of the directories that list snapshots: making a
   * directory there would take a snapshot.
   */
  private static void requireOneTree(long a, long b) throws FsException {
    if (SnapshotDirectories.isDirectory(a) != SnapshotDirectories.isDirectory(b)) {
      throw new FsException(FsError.NOT_PERMITTED);
    }
    if (BrowseNumbers.isBrowsed(a) != BrowseNumbers.isBrowsed(b)
        || (BrowseNumbers.isBrowsed(a) && BrowseNumbers.slot(a) != BrowseNumbers.slot(b))) {
      throw new FsException(FsError.CROSS_DEVICE);
    }
  }

  @Override
  public FileHandle open(long inode, Set<OpenFlags> flags) throws FsException {
    return of(inode).open(inode, flags);
  }

  @Override
  public int read(FileHandle handle, long offset, int length, ByteBuffer destination)
      throws FsException {
    return of(handle).read(handle, offset, length, destination);
  }

  @Override
  public void write(
      Caller caller, FileHandle handle, long offset, ByteBuffer source, boolean killPrivileges)
      throws FsException {
    of(handle).write(caller, handle, offset, source, killPrivileges);
  }

  /** From a snapshot into the live file system, the caller copies: these are different trees. */
  @Override
  public long copyRange(Caller caller, Copy copy, boolean killPrivileges) throws FsException {
    FileSystem to = of(copy.target());
    if (to == live && of(copy.source()) != live) {
      throw new FsException(FsError.CROSS_DEVICE);
    }
    return to.copyRange(caller, copy, killPrivileges);
  }

  @Override
  public void sync(Caller caller, long inode, boolean dataOnly) throws FsException {
    of(inode).sync(caller, inode, dataOnly);
  }

  @Override
  public void syncAll() throws FsException {
    live.syncAll();
  }

  @Override
  public void release(FileHandle handle) {
    of(handle).release(handle);
  }

  @Override
  public FileHandle openDirectory(long inode, Set<OpenFlags> flags) throws FsException {
    return of(inode).openDirectory(inode, flags);
  }

  @Override
  public void readDirectory(FileHandle handle, long cookie, DirectoryVisitor visitor)
      throws FsException {
    if (handle.inode() == ROOT_INODE) {
      readRoot(handle, cookie, visitor);
    } else {
      of(handle).readDirectory(handle, cookie, visitor);
    }
  }

  private void readRoot(FileHandle handle, long cookie, DirectoryVisitor visitor)
      throws FsException {
    if (cookie < CONTROL_COOKIE) {
      boolean[] full = new boolean[1];
      live.readDirectory(
          handle,
          cookie,
          (name, inode, type, at) -> {
            if (at > CONTROL_COOKIE) {
              return false;
            }
            full[0] = !visitor.entry(name, inode, type, at);
            return !full[0];
          });
      if (full[0] || (listsControl.getAsBoolean() && !listControl(visitor))) {
        return;
      }
    }
    live.readDirectory(
        handle,
        Math.max(cookie, CONTROL_COOKIE),
        (name, inode, type, at) ->
            Arrays.equals(name, CONTROL_NAME) || visitor.entry(name, inode, type, at));
  }

  private static boolean listControl(DirectoryVisitor visitor) throws FsException {
    return visitor.entry(
        CONTROL_NAME.clone(), BrowseNumbers.CONTROL, FileType.DIRECTORY, CONTROL_COOKIE);
  }

  @Override
  public long trim(long start, long length, long lengthMin) throws FsException {
    return live.trim(start, length, lengthMin);
  }

  @Override
  public void shutDown() {
    live.shutDown();
  }

  @Override
  public FileSystemStatus status() throws FsException {
    return live.status();
  }

  @Override
  public void setXattr(long inode, byte[] name, byte[] value, XattrMode mode) throws FsException {
    of(inode).setXattr(inode, name, value, mode);
  }

  @Override
  public void setAcl(long inode, AclKind kind, byte[] acl, boolean clearSgid) throws FsException {
    of(inode).setAcl(inode, kind, acl, clearSgid);
  }

  @Override
  public byte[] getXattr(long inode, byte[] name) throws FsException {
    return of(inode).getXattr(inode, name);
  }

  @Override
  public byte[] listXattrs(long inode) throws FsException {
    return of(inode).listXattrs(inode);
  }

  @Override
  public void removeXattr(long inode, byte[] name) throws FsException {
    of(inode).removeXattr(inode, name);
  }

  @Override
  public long seek(FileHandle handle, long offset, SeekTarget target) throws FsException {
    return of(handle).seek(handle, offset, target);
  }

  @Override
  public void allocate(FileHandle handle, AllocationMode mode, long offset, long length)
      throws FsException {
    of(handle).allocate(handle, mode, offset, length);
  }
}
