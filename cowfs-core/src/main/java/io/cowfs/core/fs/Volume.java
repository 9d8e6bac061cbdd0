package io.cowfs.core.fs;

import io.cowfs.core.alloc.OutOfSpaceException;
import io.cowfs.core.alloc.SpaceStatus;
import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.txg.PoolSuspendedException;
import io.cowfs.core.txg.SyncTask;
import io.cowfs.core.txg.TransactionalTree;
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
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;

/**
 * The file system of one dataset. Thread-safe; operations are in classes of their own, this one
 * opens, closes, and turns storage errors into those of the interface.
 */
public final class Volume implements FileSystem {
  /** What was freed is reusable three commits later. */
  private static final int COMMITS_TO_WAIT_FOR = 6;

  private final VolumeServices services;
  private final VolumeState state;
  private final TransactionalTree tree;
  private final InodeTable inodes;
  private final VolumeSync sync;

  private final Creation creation;
  private final Removal removal;
  private final Renaming renaming;
  private final FileWrites writes;
  private final AttributeChanges attributeChanges;
  private final XattrReads xattrReads;
  private final Xattrs xattrs;
  private final AccessControl accessControl;
  private final DirectoryReads directoryReads;
  private final FileSeek seek;
  private final Rollback rollback;
  private final RangeCloning cloning;
  private final RangeCopying copying;

  private volatile CacheInvalidator invalidator = CacheInvalidator.NONE;

  private Volume(VolumeState state) {
    this.state = state;
    this.services = state.services();
    this.tree = state.tree();
    this.inodes = state.inodes();
    this.sync = new VolumeSync(state);
    this.xattrReads = new XattrReads(tree);
    this.xattrs = new Xattrs(state, xattrReads);
    this.accessControl = new AccessControl(state, xattrReads, xattrs);
    this.creation = new Creation(state, accessControl);
    this.removal = new Removal(state, InodeFlags.Obedience.OBEYS);
    this.renaming = new Renaming(state, creation);
    this.writes = new FileWrites(state);
    this.attributeChanges = new AttributeChanges(state, writes, accessControl);
    this.directoryReads = new DirectoryReads(tree, state.directories(), state.gate());
    this.seek = new FileSeek(tree);
    this.rollback = new Rollback(state);
    this.cloning = new RangeCloning(state);
    this.copying = new RangeCopying(state, writes, cloning, this::read);
  }

  /** Opens the file system of a dataset; a new one gets its root directory. */
  public static Volume open(VolumeServices services, DatasetHead head) throws IOException {
    Volume[] opened = new Volume[1];
    services
        .txgs()
        .register(
            openTxg -> {
              opened[0] = new Volume(new VolumeState(services, head, openTxg));
              return opened[0].sync;
            });
    Volume volume = opened[0];
    boolean complete = false;
    try {
      volume.state.treeWasOpened();
      if (volume.tree.get(Items.inode(ROOT_INODE)) == null) {
        if (head.root() != null) {
          throw new io.cowfs.core.block.CorruptBlockException(
              "dataset " + head.name() + " has no root directory");
        }
        volume.creation.createRoot();
      }
      volume.state.opened();
      complete = true;
      return volume;
    } catch (FsException refused) {
      throw new IOException("dataset " + head.name() + ": " + refused.getMessage(), refused);
    } finally {
      if (!complete) {
        services.txgs().unregister(volume.sync);
      }
    }
  }

  /** Commits everything and takes no part in commits any more. No operation may follow. */
  public void close() throws IOException {
    if (services.txgs().isAbandoned()) {
      return;
    }
    if (!services.txgs().isReadOnly()) {
      services.txgs().syncAll();
      if (!state.reaper().isIdle()) {
        // Nothing else would commit for what has lost its last reference.
        services.txgs().runTask(txg -> null);
      }
    }
    services.txgs().unregister(sync);
  }

  VolumeServices services() {
    return services;
  }

  /** The dataset's name. */
  public String name() {
    return state.head().name();
  }

  /** Tells the front end that other names are listed in the root directory than before. */
  public void rootListingChanged() {
    invalidator.inodeChanged(ROOT_INODE);
  }

  /**
   * Has a sync task replace the dataset's tree, as a rollback does, while no operation is active.
   *
   * @return tells the front end what it must forget; to be run, once, before the tree is replaced
   *     again, while nobody can free either tree, and by a thread without a lock that a request of
   *     the front end may wait for
   */
  public Runnable replaceTree(SyncTask task) throws IOException {
    return rollback.replaceTree(task, () -> invalidator);
  }

  /**
   * Puts a range of a live file, of this file system or another of the pool, into a file of this
   * one by reference: the data is not copied and takes no space. Atomic; from another file system
   * also durable. The caches of the front end are not told: the one who asked for it knows.
   *
   * @param length in bytes; offsets are multiples of 4 KiB, and so is the length unless the range
   *     ends where both files end
   * @return the bytes cloned: fewer than asked for where the source ends before, or has very many
   *     extents
   * @throws FsException INVALID where offsets and length do not allow it, or the ranges overlap;
   *     NO_SPACE, QUOTA_EXCEEDED, STALE
   */
  public long cloneRange(
      Volume from,
      FileHandle source,
      long fromOffset,
      FileHandle target,
      long toOffset,
      long length)
      throws FsException {
    RangeCloning.Range range = new RangeCloning.Range(fromOffset, toOffset, length);
    return call(
        target.inode(),
        () -> cloning.clone(from.state, (Handle) source, (Handle) target, range, true));
  }

  /**
   * The same from a file of a snapshot.
   *
   * @param inode of the file in the snapshot
   */
  public long cloneRange(
      SourceTree from, long inode, long fromOffset, FileHandle target, long toOffset, long length)
      throws FsException {
    RangeCloning.Range range = new RangeCloning.Range(fromOffset, toOffset, length);
    return call(target.inode(), () -> cloning.clone(from, inode, (Handle) target, range));
  }

  /**
   * Has a part of a file put elsewhere on the device in the next commit, if it still is as it was
   * read. Nothing of it is seen in the file system.
   *
   * @throws IOException when the file system cannot be changed
   */
  public void relocate(Relocation relocation) throws IOException {
    try {
      services.checkNotShutDown();
      relocation.handIn(state);
    } catch (FsException refused) {
      throw new IOException("dataset " + name() + ": " + refused.getMessage(), refused);
    }
  }

  /**
   * What was done to restore a path, in directory entries.
   *
   * @param changed have another content or other attributes
   * @param added were missing
   * @param removed are not in the snapshot
   */
  public record Restored(long changed, long added, long removed) {}

  /**
   * Brings one path back to what it was in a snapshot, while the file system is in use. Nothing
   * else is touched. One at a time; no rollback may happen meanwhile.
   *
   * @param path relative to the root of the dataset; {@code .} for all of it
   * @param teller tells the front end on the way, in order, by a thread that holds no lock
   * @throws io.cowfs.core.dataset.DatasetException INVALID_NAME or NAME_TOO_LONG for the path;
   *     NOT_FOUND when the snapshot has no such path, or is destroyed meanwhile; EXISTS when
   *     something else stands in the way. Nothing was changed, but where it was destroyed
   * @throws IOException when it fails in the middle: each file is then as it was or as it is in the
   *     snapshot, and the path can be restored again
   */
  public Restored restorePath(SourceTree snapshot, byte[] path, Executor teller)
      throws IOException {
    List<byte[]> names = PathRestore.parse(path);
    try {
      return new PathRestore(state, snapshot, teller, () -> invalidator).run(names);
    } catch (FsException refused) {
      String what = "'%s' is not restored: ".formatted(new String(path, StandardCharsets.UTF_8));
      if (refused.error() == FsError.NO_SPACE) {
        throw new OutOfSpaceException(what + "no space is left in the pool", refused);
      }
      String why =
          refused.error() == FsError.BUSY || refused.error() == FsError.NOT_EMPTY
              ? "it is being changed by others"
              : refused.getMessage();
      throw new IOException(what + why, refused);
    }
  }

  /** Runs an operation; storage errors become IO, or NO_SPACE, or READ_ONLY. */
  private <T> T call(long inode, Mutation.Body<T> body) throws FsException {
    services.checkNotShutDown();
    return StorageErrors.call(() -> describe(inode), body);
  }

  /** Runs something that only looks at one inode, under its read lock. */
  private <T> T look(long number, InodeBody<T> body) throws FsException {
    return call(
        number,
        () -> {
          state.gate().lock();
          try {
            Inode inode = inodes.use(number);
            try {
              inodes.load(inode);
              return locked(inode, body);
            } finally {
              inodes.release(inode);
            }
          } finally {
            state.gate().unlock();
          }
        });
  }

  private static <T> T locked(Inode inode, InodeBody<T> body) throws FsException, IOException {
    inode.readLock().lock();
    try {
      return body.run(inode);
    } finally {
      inode.readLock().unlock();
    }
  }

  private interface InodeBody<T> {
    T run(Inode inode) throws FsException, IOException;
  }

  private String describe(long inode) {
    return state.head().name() + ":" + state.directories().pathOf(inode) + " (inode " + inode + ")";
  }

  @Override
  public void setAccessTimes(AccessTimes ofFiles, AccessTimes ofDirectories) {
    attributeChanges.setAccessTimes(ofFiles, ofDirectories);
  }

  @Override
  public void setCacheInvalidator(CacheInvalidator newInvalidator) {
    invalidator = newInvalidator;
  }

  @Override
  public Attributes lookup(long parent, byte[] name) throws FsException {
    long found =
        look(
            parent,
            directory -> {
              long child = state.directories().resolve(directory, name);
              // Counted under the directory's lock, so that the child cannot be freed before.
              inodes.reference(child);
              return child;
            });
    return referencedAttributes(found);
  }

  private Attributes referencedAttributes(long number) throws FsException {
    boolean done = false;
    try {
      Attributes attributes = getAttributes(number);
      done = true;
      return attributes;
    } finally {
      if (!done) {
        inodes.forget(number, 1);
      }
    }
  }

  @Override
  public Attributes reference(long inode) throws FsException {
    inodes.reference(inode);
    return referencedAttributes(inode);
  }

  @Override
  public void forget(long inode, long count) {
    inodes.forget(inode, count);
  }

  @Override
  public Attributes getAttributes(long number) throws FsException {
    return look(number, Inode::attributes);
  }

  @Override
  public Attributes settled(long number) throws FsException {
    inodes.settle(number);
    return getAttributes(number);
  }

  @Override
  public Attributes setAttributes(
      Caller caller, long inode, FileHandle handle, AttributeChange change) throws FsException {
    return call(inode, () -> attributeChanges.set(caller, inode, handle, change));
  }

  @Override
  public Set<InodeFlag> getFlags(long number) throws FsException {
    return look(number, InodeFlags::of);
  }

  @Override
  public void setFlags(long inode, Set<InodeFlag> flags) throws FsException {
    run(inode, () -> attributeChanges.setFlags(inode, flags));
  }

  @Override
  public byte[] readSymlink(long number) throws FsException {
    Inode[] read = new Inode[1];
    byte[] target =
        look(
            number,
            link -> {
              read[0] = link;
              return state.reads().readSymlink(link);
            });
    run(number, () -> attributeChanges.accessed(read[0]));
    return target;
  }

  @Override
  public Created create(Caller caller, long parent, byte[] name, int mode, Set<OpenFlags> flags)
      throws FsException {
    Creation.Request request = Creation.Request.file(mode);
    return opened(call(parent, () -> creation.create(caller, parent, name, request, true)), flags);
  }

  @Override
  public Created createUnnamed(Caller caller, long directory, int mode, Set<OpenFlags> flags)
      throws FsException {
    Creation.Request request = Creation.Request.file(mode);
    return opened(call(directory, () -> creation.createUnnamed(caller, directory, request)), flags);
  }

  /** A new file, of which a handle was counted. */
  private Created opened(Attributes attributes, Set<OpenFlags> flags) {
    Inode inode = inodes.use(attributes.inode());
    inodes.release(inode);
    return new Created(attributes, new Handle(inode, flags.contains(OpenFlags.NO_ATIME)));
  }

  @Override
  public Attributes makeDirectory(Caller caller, long parent, byte[] name, int mode)
      throws FsException {
    int directoryMode = (mode & Inode.PERMISSIONS) | FileType.DIRECTORY.format();
    return make(caller, parent, name, new Creation.Request(directoryMode, 0, null));
  }

  @Override
  public Attributes makeNode(Caller caller, long parent, byte[] name, int mode, int rdev)
      throws FsException {
    int format = mode & FileType.FORMAT_MASK;
    int nodeMode = (mode & Inode.PERMISSIONS) | (format == 0 ? FileType.REGULAR.format() : format);
    FileType type = FileType.ofMode(nodeMode);
    if (type == null || type == FileType.DIRECTORY || type == FileType.SYMLINK) {
      throw new FsException(FsError.INVALID);
    }
    boolean device = type == FileType.BLOCK_DEVICE || type == FileType.CHARACTER_DEVICE;
    return make(caller, parent, name, new Creation.Request(nodeMode, device ? rdev : 0, null));
  }

  @Override
  public Attributes makeSymlink(Caller caller, long parent, byte[] name, byte[] target)
      throws FsException {
    int mode = FileType.SYMLINK.format() | 0777;
    return make(caller, parent, name, new Creation.Request(mode, 0, target));
  }

  private Attributes make(Caller caller, long parent, byte[] name, Creation.Request request)
      throws FsException {
    return call(parent, () -> creation.create(caller, parent, name, request, false));
  }

  @Override
  public Attributes link(long inode, long newParent, byte[] newName) throws FsException {
    return call(inode, () -> creation.link(inode, newParent, newName));
  }

  @Override
  public void unlink(long parent, byte[] name) throws FsException {
    run(parent, () -> removal.unlink(parent, name));
  }

  @Override
  public void removeDirectory(long parent, byte[] name) throws FsException {
    run(parent, () -> removal.removeDirectory(parent, name));
  }

  @Override
  public void rename(long parent, byte[] name, long newParent, byte[] newName, RenameMode mode)
      throws FsException {
    run(parent, () -> renaming.rename(parent, name, newParent, newName, mode));
  }

  @Override
  public void renameLeavingWhiteout(
      Caller caller, long parent, byte[] name, long newParent, byte[] newName, RenameMode mode)
      throws FsException {
    run(
        parent,
        () -> renaming.renameLeavingWhiteout(caller, parent, name, newParent, newName, mode));
  }

  private interface Action {
    void run() throws FsException, IOException;
  }

  private void run(long inode, Action action) throws FsException {
    call(
        inode,
        () -> {
          action.run();
          return null;
        });
  }

  @Override
  public FileHandle open(long number, Set<OpenFlags> flags) throws FsException {
    Handle handle =
        look(
            number,
            inode -> {
              if (!inode.isRegular()) {
                throw new FsException(
                    inode.isDirectory() ? FsError.IS_A_DIRECTORY : FsError.INVALID);
              }
              InodeFlags.checkOpen(inode, flags);
              inodes.opened(inode);
              return new Handle(inode, flags.contains(OpenFlags.NO_ATIME));
            });
    if (flags.contains(OpenFlags.TRUNCATE)) {
      boolean done = false;
      try {
        boolean kill = flags.contains(OpenFlags.KILL_PRIVILEGES);
        setAttributes(
            Caller.ROOT,
            number,
            handle,
            new AttributeChange(null, null, null, 0L, null, AttributeChange.NOW, null, kill));
        done = true;
      } finally {
        if (!done) {
          release(handle);
        }
      }
    }
    return handle;
  }

  @Override
  public int read(FileHandle handle, long offset, int length, ByteBuffer destination)
      throws FsException {
    Inode inode = ((Handle) handle).target();
    return call(
        inode.number,
        () -> {
          int count =
              lookAtContent(
                  handle, file -> state.reads().readUpTo(file, offset, length, destination));
          if (!((Handle) handle).keepsAccessTime()) {
            attributeChanges.accessed(inode);
          }
          return count;
        });
  }

  /** Runs something that looks at the content of an open file, under its read lock. */
  private <T> T lookAtContent(FileHandle handle, InodeBody<T> body)
      throws FsException, IOException {
    Inode inode = ((Handle) handle).target();
    while (true) {
      state.gate().lock();
      try {
        inodes.load(inode);
        Optional<T> seen =
            locked(
                inode,
                file -> {
                  ((Handle) handle).check();
                  return file.clonedTxg != 0 ? Optional.empty() : Optional.of(body.run(file));
                });
        if (seen.isPresent()) {
          return seen.get();
        }
      } finally {
        state.gate().unlock();
      }
      state.awaitClone(inode);
    }
  }

  @Override
  public void write(
      Caller caller, FileHandle handle, long offset, ByteBuffer source, boolean killPrivileges)
      throws FsException {
    run(
        handle.inode(),
        () -> writes.write(caller, (Handle) handle, offset, source, killPrivileges));
  }

  @Override
  public long copyRange(Caller caller, Copy copy, boolean killPrivileges) throws FsException {
    return call(copy.target().inode(), () -> copying.copy(caller, copy, killPrivileges));
  }

  @Override
  public void sync(Caller caller, long number, boolean dataOnly) throws FsException {
    long txg = look(number, inode -> Math.max(inode.changedTxg, uncommittedTxg(number)));
    // Whoever syncs after making a hole may look at the space that the file takes.
    awaitCommitted(look(number, inode -> inode.punchedTxg));
    awaitSaved(txg);
  }

  private void awaitCommitted(long txg) throws FsException {
    try {
      services.txgs().awaitDurable(txg, () -> false);
    } catch (PoolSuspendedException suspended) {
      throw new FsException(FsError.IO, suspended);
    }
  }

  private long uncommittedTxg(long number) {
    return tree.uncommittedTxg(Items.inode(number));
  }

  /**
   * Signals do not end it: no local file system lets fsync fail for one, and programs rely on that.
   */
  private void awaitSaved(long txg) throws FsException {
    try {
      services.txgs().awaitSaved(txg);
    } catch (PoolSuspendedException suspended) {
      throw new FsException(FsError.IO, suspended);
    }
  }

  @Override
  public void syncAll() throws FsException {
    awaitSaved(services.txgs().openTxg());
  }

  @Override
  public void release(FileHandle handle) {
    inodes.closed(((Handle) handle).target());
  }

  @Override
  public FileHandle openDirectory(long number, Set<OpenFlags> flags) throws FsException {
    return look(
        number,
        inode -> {
          state.requireDirectory(inode);
          inodes.opened(inode);
          return new Handle(inode, flags.contains(OpenFlags.NO_ATIME));
        });
  }

  @Override
  public void readDirectory(FileHandle handle, long cookie, DirectoryVisitor visitor)
      throws FsException {
    Inode directory = ((Handle) handle).target();
    run(
        directory.number,
        () -> {
          // With the gate: a rollback in between would leave it as the old tree has it.
          state.gate().lock();
          try {
            inodes.load(directory);
          } finally {
            state.gate().unlock();
          }
          if (cookie == 0 && !((Handle) handle).keepsAccessTime()) {
            attributeChanges.accessed(directory);
          }
          directoryReads.read(directory, cookie, visitor);
        });
  }

  @Override
  public long trim(long start, long length, long lengthMin) throws FsException {
    return call(ROOT_INODE, () -> services.allocator().trim(start, length, lengthMin))
        .orElseThrow(() -> new FsException(FsError.INVALID));
  }

  @Override
  public void shutDown() {
    services.txgs().abandon();
  }

  @Override
  public FileSystemStatus status() throws FsException {
    services.checkNotShutDown();
    SpaceStatus now = services.allocator().status();
    long free = Math.min(now.free(), now.backed() + services.hostFreeSectors().getAsLong());
    long available = Math.max(0, free - now.reserve() - now.reserved());
    long total = now.allocated() + free;
    long quotaLeft = state.quota().left();
    if (quotaLeft != Long.MAX_VALUE) {
      free = Math.max(0, Math.min(free, quotaLeft));
      available = Math.min(available, free);
      total = Math.min(total, state.head().referencedSectors() + free);
    }
    return new FileSystemStatus(
        BlockPointer.SECTOR_BYTES,
        total,
        free,
        available,
        available + state.files(),
        available,
        NAME_LENGTH_MAX);
  }

  @Override
  public void setXattr(long inode, byte[] name, byte[] value, XattrMode mode) throws FsException {
    run(inode, () -> xattrs.set(inode, name, value, mode));
  }

  @Override
  public void setAcl(long inode, AclKind kind, byte[] acl, boolean clearSgid) throws FsException {
    run(inode, () -> accessControl.set(inode, kind, acl, clearSgid));
  }

  @Override
  public byte[] getXattr(long number, byte[] name) throws FsException {
    return look(number, inode -> xattrReads.get(number, name));
  }

  @Override
  public byte[] listXattrs(long number) throws FsException {
    return look(number, inode -> xattrReads.list(number));
  }

  @Override
  public void removeXattr(long inode, byte[] name) throws FsException {
    run(inode, () -> xattrs.remove(inode, name));
  }

  @Override
  public long seek(FileHandle handle, long offset, SeekTarget target) throws FsException {
    return call(
        handle.inode(), () -> lookAtContent(handle, file -> seek.seek(file, offset, target)));
  }

  @Override
  public void allocate(FileHandle handle, AllocationMode mode, long offset, long length)
      throws FsException {
    run(
        handle.inode(),
        () -> {
          boolean reserves =
              mode == AllocationMode.RESERVE || mode == AllocationMode.RESERVE_KEEP_SIZE;
          if (reserves && offset >= 0 && length > 0 && offset <= Long.MAX_VALUE - length) {
            requireRoom(handle, offset, offset + length);
          }
          writes.allocate((Handle) handle, mode, offset, length);
        });
  }

  /**
   * Refuses what can never be written, for want of space. Waits for commits that free some. No lock
   * may be held.
   */
  private void requireRoom(FileHandle handle, long offset, long end)
      throws FsException, IOException {
    long pages = (end - 1) / BlockPointer.SECTOR_BYTES - offset / BlockPointer.SECTOR_BYTES + 1;
    int copies = state.head().settings().copies();
    if (pages <= status().availableBlocks() / copies) {
      return;
    }
    long missing =
        copies * (pages - lookAtContent(handle, file -> seek.dataSectors(file, offset, end)));
    state.quota().require(missing);
    for (int commits = 0; missing > status().availableBlocks(); commits++) {
      if (commits == COMMITS_TO_WAIT_FOR || services.allocator().status().pending() == 0) {
        throw new FsException(FsError.NO_SPACE);
      }
      services.txgs().awaitDurable(services.txgs().openTxg(), () -> false);
    }
  }
}
