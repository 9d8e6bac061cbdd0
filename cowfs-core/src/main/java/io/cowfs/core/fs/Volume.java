package io.cowfs.core.fs;

import io.cowfs.core.alloc.OutOfSpaceException;
import io.cowfs.core.alloc.SpaceStatus;
import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockStore;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.txg.PoolSuspendedException;
import io.cowfs.core.txg.SyncTask;
import io.cowfs.core.txg.TransactionGroups;
import io.cowfs.core.txg.TransactionalTree;
import io.cowfs.core.txg.Txg;
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
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.core.vfs.RenameMode;
import io.cowfs.core.vfs.Timestamp;
import io.cowfs.core.vfs.XattrMode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * The file system of one dataset. Thread-safe; operations are in classes of their own, this one
 * opens, closes, and turns storage errors into those of the interface.
 *
 * <p>{@code gate} is held shared by every operation and exclusively by a rollback, so that no
 * operation sees two trees. It is not held while an operation waits for a commit.
 */
public final class Volume implements FileSystem {
  private static final Logger LOG = System.getLogger(Volume.class.getName());

  /** Sectors of a tree node that cannot be compressed. */
  private static final int NODE_SECTORS = 4;

  /** The dirty inodes and reservations of the two txgs that may have any. */
  private record States(TxgState syncing, TxgState open) {}

  private final VolumeServices services;
  private final DatasetHead head;
  private final TransactionalTree tree;
  private final InodeTable inodes;
  private final DirectoryItems directories;
  private final SpaceBudget space;
  private final Reaper reaper;
  private final VolumeSync sync;
  private final AtomicLong nextInodeNumber;
  private final ReentrantReadWriteLock gate = new ReentrantReadWriteLock();

  private final Creation creation;
  private final Removal removal;
  private final Renaming renaming;
  private final FileReads reads;
  private final FileWrites writes;
  private final AttributeChanges attributeChanges;
  private final Xattrs xattrs;
  private final DirectoryReads directoryReads;
  private final FileSeek seek;

  private volatile States states;

  /** Nodes of the committed tree. */
  private final AtomicLong treeNodes = new AtomicLong();

  private volatile CacheInvalidator invalidator = CacheInvalidator.NONE;

  private Volume(VolumeServices services, DatasetHead head, long openTxg) {
    this.services = services;
    this.head = head;
    this.reaper = new Reaper(services.txgs()::backlogGrew);
    Tree committed = new Tree(head.root(), services.nodes());
    this.tree = new TransactionalTree(committed, openTxg - 1, openTxg);
    this.states = new States(null, new TxgState(openTxg));
    this.nextInodeNumber =
        new AtomicLong(Math.max(head.nextObjectNumber(), FileSystem.ROOT_INODE + 1));
    this.inodes = new InodeTable(tree, orphan -> reaper.add(orphan.number, orphan.unlinkedTxg));
    this.directories = new DirectoryItems(tree);
    this.space = new SpaceBudget(services.allocator(), services.txgs());
    this.sync = new VolumeSync(this, head);
    this.creation = new Creation(this);
    this.removal = new Removal(this);
    this.renaming = new Renaming(this);
    this.reads = new FileReads(tree, services.store(), arena());
    this.writes = new FileWrites(this, reads, arena());
    this.attributeChanges = new AttributeChanges(this, writes);
    this.xattrs = new Xattrs(this);
    this.directoryReads = new DirectoryReads(this);
    this.seek = new FileSeek(tree);
  }

  /** Opens the file system of a dataset; a new one gets its root directory. */
  public static Volume open(VolumeServices services, DatasetHead head) throws IOException {
    Volume[] opened = new Volume[1];
    services
        .txgs()
        .register(
            openTxg -> {
              opened[0] = new Volume(services, head, openTxg);
              return opened[0].sync;
            });
    Volume volume = opened[0];
    boolean complete = false;
    try {
      volume.treeWasOpened();
      if (volume.tree.get(Items.inode(ROOT_INODE)) == null) {
        if (head.root() != null) {
          throw new io.cowfs.core.block.CorruptBlockException(
              "dataset " + head.name() + " has no root directory");
        }
        volume.creation.createRoot();
      }
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
    services.txgs().syncAll();
    services.txgs().unregister(sync);
  }

  /** The dataset's name. */
  public String name() {
    return head.name();
  }

  /**
   * Has a sync task replace the dataset's tree, as a rollback does, while no operation is active,
   * and tells the front end what it must forget.
   */
  public void replaceTree(SyncTask task) throws IOException {
    TransactionalTree.Pin[] before = new TransactionalTree.Pin[1];
    gate.writeLock().lock();
    try {
      services
          .txgs()
          .runTask(
              txg -> {
                Runnable afterwards = task.run(txg);
                return () -> before[0] = switchTree(txg, afterwards);
              });
      treeWasOpened();
      renewChangedFiles(before[0].tree(), tree.committed());
    } finally {
      gate.writeLock().unlock();
    }
    try (TransactionalTree.Pin old = before[0]) {
      invalidateFrontEnd(old.tree());
    }
  }

  /**
   * A kernel that caches writes trusts its own size and times of a file that it holds, whatever it
   * is told. So files that the rollback changed become new ones to it, by their generation; handles
   * to the old ones are stale.
   */
  private void renewChangedFiles(Tree before, Tree after) {
    for (long number : inodes.referenced()) {
      Key key = Items.inode(number);
      boolean same;
      try {
        same = Arrays.equals(before.get(key), after.get(key));
      } catch (IOException damaged) {
        LOG.log(Level.WARNING, "inode " + number + ": its attributes cannot be read", damaged);
        same = false;
      }
      if (!same && number != ROOT_INODE) {
        inodes.shiftGeneration(number);
      }
    }
  }

  /** Sync thread, with the gate shut. Returns a hold on the tree as it was. */
  private TransactionalTree.Pin switchTree(long txg, Runnable afterwards) {
    if (afterwards != null) {
      afterwards.run();
    }
    TransactionalTree.Pin before = tree.pin();
    tree.replace(new Tree(head.root(), services.nodes()), txg);
    inodes.invalidateAll();
    // Before the next sync: what is an orphan now may have a name in the new tree.
    reaper.clear();
    return before;
  }

  /**
   * Everything that the front end holds is named by the old tree; names that it cannot tell are
   * skipped.
   */
  private void invalidateFrontEnd(Tree old) {
    for (long inode : inodes.referenced()) {
      try {
        for (DirectoryItems.Link link : DirectoryItems.linksOf(old, inode)) {
          invalidator.entryChanged(link.parent(), link.name());
        }
      } catch (IOException damaged) {
        LOG.log(Level.WARNING, "inode " + inode + ": its names cannot be read", damaged);
      }
      invalidator.inodeChanged(inode);
    }
    invalidator.inodeChanged(ROOT_INODE);
  }

  /** Has the orphans of the committed tree freed: nobody holds them. */
  private void treeWasOpened() throws IOException {
    try (TransactionalTree.Pin pin = tree.pin()) {
      treeNodes.set(pin.tree().nodeCount());
      reaper.addAllOf(pin.tree());
    }
  }

  // What the operations share.

  TransactionGroups txgs() {
    return services.txgs();
  }

  TransactionalTree tree() {
    return tree;
  }

  InodeTable inodes() {
    return inodes;
  }

  DirectoryItems directories() {
    return directories;
  }

  SpaceBudget space() {
    return space;
  }

  Reaper reaper() {
    return reaper;
  }

  BlockStore store() {
    return services.store();
  }

  NodeReader nodes() {
    return services.nodes();
  }

  FileReads reads() {
    return reads;
  }

  /** Sectors that cutting compressed extents may cost: one at each end of a change. */
  int cutSectors() {
    return head.compression().compression() == Compression.NONE
        ? 0
        : 2 * FileReads.EXTENT_BYTES_MAX / FileReads.SECTOR;
  }

  PageArena arena() {
    return services.pages().arena;
  }

  VolumeServices.Owner owner() {
    return services.owner();
  }

  Lock gate() {
    return gate.readLock();
  }

  Timestamp now() {
    Instant now = services.clock().instant();
    return new Timestamp(now.getEpochSecond(), now.getNano());
  }

  long nextInodeNumber() {
    return nextInodeNumber.getAndIncrement();
  }

  long peekNextInodeNumber() {
    return nextInodeNumber.get();
  }

  boolean isReadOnly() {
    return services.txgs().suspendedBy() != null;
  }

  void checkWritable() throws FsException {
    if (isReadOnly()) {
      throw new FsException(FsError.READ_ONLY);
    }
  }

  void requireDirectory(Inode inode) throws FsException {
    if (!inode.isDirectory()) {
      throw new FsException(FsError.NOT_A_DIRECTORY);
    }
  }

  /** A directory that was removed takes no new names. */
  void requireLiveDirectory(Inode inode) throws FsException {
    requireDirectory(inode);
    if (inode.nlink == 0) {
      throw new FsException(FsError.NOT_FOUND);
    }
  }

  /** Looks a name up under the directory's read lock, for those who then lock what it leads to. */
  DirectoryItems.Found findEntry(Inode directory, byte[] name) throws FsException, IOException {
    directory.readLock().lock();
    try {
      requireDirectory(directory);
      return directories.find(directory.number, name);
    } finally {
      directory.readLock().unlock();
    }
  }

  /**
   * Takes into use what an entry led to when it was looked up. No inode may be locked.
   *
   * @return null when the entry was removed since; then it is to be looked up again
   */
  Inode useEntry(Mutation change, Inode directory, byte[] name, DirectoryItems.Found seen)
      throws FsException, IOException {
    try {
      return change.use(seen.inode());
    } catch (FsException refused) {
      DirectoryItems.Found now = findEntry(directory, name);
      if (refused.error() != FsError.STALE || (now != null && now.inode() == seen.inode())) {
        throw refused;
      }
      return null;
    }
  }

  TxgState stateOf(long txg) {
    States now = states;
    if (now.open.txg() == txg) {
      return now.open;
    }
    if (now.syncing != null && now.syncing.txg() == txg) {
      return now.syncing;
    }
    throw new IllegalStateException("txg " + txg + " is neither open nor syncing");
  }

  /**
   * True when the open txg has enough space reserved to write every node of the tree anew, which it
   * does at most once. What changes join another txg than they were begun in is for the reserve to
   * bear.
   */
  boolean allNodesAreReserved() {
    return states.open.reservedForRewrites().get() >= treeNodes.get() * NODE_SECTORS;
  }

  /** How many orphans there is space to free now: nodes are written anew for it. */
  int orphansToReap() {
    long free = space.free(services.hostFreeSectors().getAsLong());
    return free >= treeNodes.get() * NODE_SECTORS
        ? Integer.MAX_VALUE
        : (int) (free / Mutation.REWRITE_SECTORS);
  }

  /** Sync thread: the tree has so many nodes more. */
  void addTreeNodes(long more) {
    treeNodes.addAndGet(more);
  }

  void freezeState(long next) {
    states = new States(states.open, new TxgState(next));
  }

  void forgetState(long txg) {
    space.unreserve(stateOf(txg).reservedForItems().get());
    states = new States(null, states.open);
  }

  /** The layer for a member of {@code txg} to change. The inode must be write-locked. */
  DirtyFile dirtyLayer(Inode inode, Txg txg) {
    if (inode.dirty == null || inode.dirty.txg() != txg.number()) {
      if (inode.syncing != null) {
        throw new IllegalStateException("inode " + inode.number + " is dirty in three txgs");
      }
      inode.syncing = inode.dirty;
      inode.dirty = new DirtyFile(txg.number(), arena());
      inodes.use(inode.number);
      stateOf(txg.number()).dirtyInodes().add(inode);
    }
    return inode.dirty;
  }

  void countDirty(Txg txg, int pages) {
    if (pages > 0) {
      services.txgs().addDirtyData(txg, (long) pages * BlockPointer.SECTOR_BYTES);
    } else if (pages < 0) {
      services.txgs().removeDirtyData((long) -pages * BlockPointer.SECTOR_BYTES);
    }
  }

  /** Sync thread: the txg's data of this file is in the published tree. */
  void dropDirty(Inode inode, long txg) {
    int reserved;
    inode.writeLock().lock();
    try {
      DirtyFile layer = inode.dirtyOf(txg);
      if (inode.syncing == layer) {
        inode.syncing = null;
      } else {
        inode.dirty = null;
      }
      reserved = layer.reservedPages();
      layer.drop();
    } finally {
      inode.writeLock().unlock();
    }
    space.unreserve(reserved);
    countDirty(null, -reserved);
    inodes.release(inode);
  }

  // The interface.

  /** Runs an operation; storage errors become IO, or NO_SPACE, or READ_ONLY. */
  private <T> T call(long inode, Mutation.Body<T> body) throws FsException {
    try {
      return body.run();
    } catch (OutOfSpaceException full) {
      throw new FsException(FsError.NO_SPACE, full);
    } catch (PoolSuspendedException suspended) {
      throw new FsException(FsError.READ_ONLY, suspended);
    } catch (IOException failure) {
      LOG.log(Level.ERROR, () -> describe(inode) + ": " + failure.getMessage(), failure);
      throw new FsException(FsError.IO, failure);
    }
  }

  /** Runs something that only looks at one inode, under its read lock. */
  private <T> T look(long number, InodeBody<T> body) throws FsException {
    return call(
        number,
        () -> {
          gate().lock();
          try {
            Inode inode = inodes.use(number);
            try {
              inodes.load(inode);
              return locked(inode, body);
            } finally {
              inodes.release(inode);
            }
          } finally {
            gate().unlock();
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

  /** The inode by a path, for messages; as much of it as can be read. */
  private String describe(long inode) {
    ByteArrayOutputStream path = new ByteArrayOutputStream();
    String text = "";
    try {
      long at = inode;
      for (int depth = 0; at != ROOT_INODE && depth < 1024; depth++) {
        List<DirectoryItems.Link> links = directories.linksOf(at, 1);
        if (links.isEmpty()) {
          break;
        }
        path.reset();
        path.writeBytes(links.get(0).name());
        text = "/" + path.toString(StandardCharsets.UTF_8) + text;
        at = links.get(0).parent();
      }
    } catch (IOException unreadable) {
      text = "..." + text;
    }
    return head.name() + ":" + (text.isEmpty() ? "/" : text) + " (inode " + inode + ")";
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
              if (name.length > NAME_LENGTH_MAX) {
                throw new FsException(FsError.NAME_TOO_LONG);
              }
              long child = lookupNumber(directory, name);
              // Counted under the directory's lock, so that the child cannot be freed before.
              inodes.reference(child);
              return child;
            });
    return referencedAttributes(found);
  }

  private long lookupNumber(Inode directory, byte[] name) throws FsException, IOException {
    if (DirectoryItems.isDot(name)) {
      // Asked for any inode by those who open files by handle.
      return directory.number;
    }
    requireDirectory(directory);
    if (DirectoryItems.isDotDot(name)) {
      return directories.parentOf(directory.number);
    }
    DirectoryItems.Found found = directories.find(directory.number, name);
    if (found == null) {
      throw new FsException(FsError.NOT_FOUND);
    }
    return found.inode();
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
  public Attributes setAttributes(
      Caller caller, long inode, FileHandle handle, AttributeChange change) throws FsException {
    return call(inode, () -> attributeChanges.set(caller, inode, change));
  }

  @Override
  public byte[] readSymlink(long number) throws FsException {
    return look(
        number,
        inode -> {
          if (inode.type() != FileType.SYMLINK) {
            throw new FsException(FsError.INVALID);
          }
          ByteArrayOutputStream target = new ByteArrayOutputStream();
          for (int chunk = 0; target.size() < inode.size; chunk++) {
            byte[] part = tree.get(Items.symlink(number, chunk));
            if (part == null || part.length == 0) {
              throw new io.cowfs.core.block.CorruptBlockException("symlink without its target");
            }
            target.writeBytes(part);
          }
          return target.toByteArray();
        });
  }

  @Override
  public Created create(Caller caller, long parent, byte[] name, int mode, Set<OpenFlags> flags)
      throws FsException {
    int fileMode = (mode & Inode.PERMISSIONS) | FileType.REGULAR.format();
    Attributes attributes =
        call(
            parent,
            () ->
                creation.create(
                    caller, parent, name, new Creation.Request(fileMode, 0, null), true));
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
          int count;
          gate().lock();
          try {
            inodes.load(inode);
            count =
                locked(
                    inode,
                    file -> {
                      ((Handle) handle).check();
                      int available = (int) Math.max(0, Math.min(length, file.size - offset));
                      if (available > 0) {
                        reads.read(file, offset, available, destination);
                      }
                      return available;
                    });
          } finally {
            gate().unlock();
          }
          if (!((Handle) handle).keepsAccessTime()) {
            attributeChanges.accessed(inode);
          }
          return count;
        });
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
  public void sync(Caller caller, long number, boolean dataOnly) throws FsException {
    long txg = look(number, inode -> Math.max(inode.changedTxg, uncommittedTxg(number)));
    awaitDurable(txg);
  }

  private long uncommittedTxg(long number) {
    return tree.uncommittedTxg(Items.inode(number));
  }

  /**
   * Signals do not end it: no local file system lets fsync fail for one, and programs rely on that.
   */
  private void awaitDurable(long txg) throws FsException {
    try {
      if (txg > 0) {
        services.txgs().awaitDurable(txg, () -> false);
      }
    } catch (PoolSuspendedException suspended) {
      throw new FsException(FsError.IO, suspended);
    }
  }

  @Override
  public void syncAll() throws FsException {
    awaitDurable(services.txgs().openTxg());
  }

  @Override
  public void release(FileHandle handle) {
    inodes.closed(((Handle) handle).target());
  }

  @Override
  public FileHandle openDirectory(long number) throws FsException {
    return look(
        number,
        inode -> {
          requireDirectory(inode);
          inodes.opened(inode);
          return new Handle(inode, false);
        });
  }

  @Override
  public void readDirectory(FileHandle handle, long cookie, DirectoryVisitor visitor)
      throws FsException {
    Inode directory = ((Handle) handle).target();
    run(
        directory.number,
        () -> {
          inodes.load(directory);
          if (cookie == 0) {
            attributeChanges.accessed(directory);
          }
          directoryReads.read(directory, cookie, visitor);
        });
  }

  @Override
  public FileSystemStatus status() {
    SpaceStatus now = services.allocator().status();
    long free = Math.min(now.free(), now.backed() + services.hostFreeSectors().getAsLong());
    long available = Math.max(0, free - now.reserve() - now.reserved());
    long total = now.allocated() + free;
    return new FileSystemStatus(
        BlockPointer.SECTOR_BYTES,
        total,
        free,
        available,
        available + nextInodeNumber.get(),
        available,
        NAME_LENGTH_MAX);
  }

  @Override
  public void setXattr(long inode, byte[] name, byte[] value, XattrMode mode) throws FsException {
    run(inode, () -> xattrs.set(inode, name, value, mode));
  }

  @Override
  public byte[] getXattr(long number, byte[] name) throws FsException {
    return look(number, inode -> xattrs.get(number, name));
  }

  @Override
  public byte[] listXattrs(long number) throws FsException {
    return look(number, inode -> xattrs.list(number));
  }

  @Override
  public void removeXattr(long inode, byte[] name) throws FsException {
    run(inode, () -> xattrs.remove(inode, name));
  }

  @Override
  public long seek(FileHandle handle, long offset, SeekTarget target) throws FsException {
    return look(
        handle.inode(),
        inode -> {
          ((Handle) handle).check();
          return seek.seek(inode, offset, target);
        });
  }

  @Override
  public void allocate(FileHandle handle, AllocationMode mode, long offset, long length)
      throws FsException {
    run(handle.inode(), () -> writes.allocate((Handle) handle, mode, offset, length));
  }
}
