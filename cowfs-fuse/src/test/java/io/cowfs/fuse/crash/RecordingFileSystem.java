package io.cowfs.fuse.crash;

import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.core.vfs.RenameMode;
import io.cowfs.fuse.memory.MemoryFileSystem;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A host file system in memory that keeps a record of everything it was asked for. Mounted without
 * the kernel's writeback cache, the order of the record is the order of the system calls.
 */
final class RecordingFileSystem extends MemoryFileSystem {
  /** Guarded by this. */
  private final List<HostEvent> events = new ArrayList<>();

  /** Everything until now, in order. */
  synchronized List<HostEvent> events() {
    return List.copyOf(events);
  }

  synchronized void mark(int step, boolean durable) {
    events.add(new HostEvent.Mark(step, durable));
  }

  private static String text(byte[] name) {
    return new String(name, StandardCharsets.UTF_8);
  }

  @Override
  public synchronized Created create(
      Caller caller, long parent, byte[] name, int mode, Set<OpenFlags> flags) throws FsException {
    Created created = super.create(caller, parent, name, mode, flags);
    events.add(new HostEvent.Make(parent, text(name), created.attributes().inode(), false));
    return created;
  }

  @Override
  public synchronized Attributes makeDirectory(Caller caller, long parent, byte[] name, int mode)
      throws FsException {
    Attributes made = super.makeDirectory(caller, parent, name, mode);
    events.add(new HostEvent.Make(parent, text(name), made.inode(), true));
    return made;
  }

  @Override
  public synchronized Attributes makeNode(
      Caller caller, long parent, byte[] name, int mode, int rdev) throws FsException {
    Attributes made = super.makeNode(caller, parent, name, mode, rdev);
    events.add(new HostEvent.Make(parent, text(name), made.inode(), false));
    return made;
  }

  @Override
  public synchronized Attributes link(long inode, long newParent, byte[] newName)
      throws FsException {
    Attributes linked = super.link(inode, newParent, newName);
    events.add(new HostEvent.Link(newParent, text(newName), inode));
    return linked;
  }

  @Override
  public synchronized void unlink(long parent, byte[] name) throws FsException {
    super.unlink(parent, name);
    events.add(new HostEvent.Remove(parent, text(name)));
  }

  @Override
  public synchronized void removeDirectory(long parent, byte[] name) throws FsException {
    super.removeDirectory(parent, name);
    events.add(new HostEvent.Remove(parent, text(name)));
  }

  @Override
  public synchronized void rename(
      long parent, byte[] name, long newParent, byte[] newName, RenameMode mode)
      throws FsException {
    if (mode == RenameMode.EXCHANGE) {
      throw new UnsupportedOperationException("no pool exchanges names");
    }
    super.rename(parent, name, newParent, newName, mode);
    events.add(new HostEvent.Rename(parent, text(name), newParent, text(newName)));
  }

  @Override
  public synchronized FileHandle open(long inode, Set<OpenFlags> flags) throws FsException {
    FileHandle handle = super.open(inode, flags);
    if (flags.contains(OpenFlags.TRUNCATE)) {
      events.add(new HostEvent.Truncate(inode, 0));
    }
    return handle;
  }

  @Override
  public synchronized Attributes setAttributes(
      Caller caller, long inode, FileHandle handle, AttributeChange change) throws FsException {
    Attributes changed = super.setAttributes(caller, inode, handle, change);
    if (change.size() != null) {
      events.add(new HostEvent.Truncate(inode, change.size()));
    }
    return changed;
  }

  @Override
  public synchronized void write(
      Caller caller, FileHandle handle, long offset, ByteBuffer source, boolean killPrivileges)
      throws FsException {
    byte[] bytes = new byte[source.remaining()];
    source.duplicate().get(bytes);
    super.write(caller, handle, offset, source, killPrivileges);
    events.add(new HostEvent.Write(handle.inode(), offset, bytes));
  }

  @Override
  public synchronized void allocate(
      FileHandle handle, AllocationMode mode, long offset, long length) throws FsException {
    super.allocate(handle, mode, offset, length);
    events.add(new HostEvent.Allocate(handle.inode(), mode, offset, length));
  }

  @Override
  public synchronized void sync(Caller caller, long inode, boolean dataOnly) throws FsException {
    super.sync(caller, inode, dataOnly);
    events.add(new HostEvent.Sync(inode));
  }

  @Override
  public synchronized void syncAll() {
    super.syncAll();
    events.add(new HostEvent.SyncAll());
  }
}
