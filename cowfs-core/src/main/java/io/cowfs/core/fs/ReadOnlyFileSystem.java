package io.cowfs.core.fs;

import io.cowfs.core.vfs.AclKind;
import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.CacheInvalidator;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileSystemStatus;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.InodeFlag;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.core.vfs.RenameMode;
import io.cowfs.core.vfs.XattrMode;
import java.nio.ByteBuffer;
import java.util.Set;

/** A file system of which nothing can be changed: every change is refused in the same way. */
abstract class ReadOnlyFileSystem implements FileSystem {
  private final FileSystem live;
  private final FsError refusal;

  /**
   * @param live whose space it shares
   * @param refusal the answer to every change
   */
  ReadOnlyFileSystem(FileSystem live, FsError refusal) {
    this.live = live;
    this.refusal = refusal;
  }

  @Override
  public FileSystemStatus status() throws FsException {
    return live.status();
  }

  @Override
  public long trim(long start, long length, long lengthMin) throws FsException {
    return live.trim(start, length, lengthMin);
  }

  @Override
  public void shutDown() {
    live.shutDown();
  }

  final FsException refused() {
    return new FsException(refusal);
  }

  /** Nothing changes here that the front end could not know. */
  @Override
  public void setCacheInvalidator(CacheInvalidator invalidator) {}

  /** No file here is ever to be settled. */
  @Override
  public Attributes settled(long inode) throws FsException {
    return getAttributes(inode);
  }

  @Override
  public Attributes setAttributes(
      Caller caller, long inode, FileHandle handle, AttributeChange change) throws FsException {
    throw refused();
  }

  @Override
  public void setFlags(long inode, Set<InodeFlag> flags) throws FsException {
    throw refused();
  }

  @Override
  public Created create(Caller caller, long parent, byte[] name, int mode, Set<OpenFlags> flags)
      throws FsException {
    throw refused();
  }

  @Override
  public Created createUnnamed(Caller caller, long directory, int mode, Set<OpenFlags> flags)
      throws FsException {
    throw refused();
  }

  @Override
  public Attributes makeDirectory(Caller caller, long parent, byte[] name, int mode)
      throws FsException {
    throw refused();
  }

  @Override
  public Attributes makeNode(Caller caller, long parent, byte[] name, int mode, int rdev)
      throws FsException {
    throw refused();
  }

  @Override
  public Attributes makeSymlink(Caller caller, long parent, byte[] name, byte[] target)
      throws FsException {
    throw refused();
  }

  @Override
  public Attributes link(long inode, long newParent, byte[] newName) throws FsException {
    throw refused();
  }

  @Override
  public void unlink(long parent, byte[] name) throws FsException {
    throw refused();
  }

  @Override
  public void removeDirectory(long parent, byte[] name) throws FsException {
    throw refused();
  }

  @Override
  public void rename(long parent, byte[] name, long newParent, byte[] newName, RenameMode mode)
      throws FsException {
    throw refused();
  }

  @Override
  public void renameLeavingWhiteout(
      Caller caller, long parent, byte[] name, long newParent, byte[] newName, RenameMode mode)
      throws FsException {
    throw refused();
  }

  @Override
  public void write(
      Caller caller, FileHandle handle, long offset, ByteBuffer source, boolean killPrivileges)
      throws FsException {
    throw refused();
  }

  @Override
  public long copyRange(Caller caller, Copy copy, boolean killPrivileges) throws FsException {
    throw refused();
  }

  /** All of it is durable. */
  @Override
  public void sync(Caller caller, long inode, boolean dataOnly) {}

  @Override
  public void syncAll() {}

  @Override
  public void setXattr(long inode, byte[] name, byte[] value, XattrMode mode) throws FsException {
    throw refused();
  }

  @Override
  public void setAcl(long inode, AclKind kind, byte[] acl, boolean clearSgid) throws FsException {
    throw refused();
  }

  @Override
  public void removeXattr(long inode, byte[] name) throws FsException {
    throw refused();
  }

  @Override
  public void allocate(FileHandle handle, AllocationMode mode, long offset, long length)
      throws FsException {
    throw refused();
  }
}
