package io.cowfs.core.fs;

import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.DirectoryVisitor;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.InodeFlag;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.core.vfs.RenameMode;
import io.cowfs.core.vfs.Timestamp;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;

/**
 * The directories above the snapshots: {@code .cowfs}, {@code .cowfs/snapshot} and {@code
 * .cowfs/checkpoint}. They are nowhere stored, always there, and belong to the owner of the
 * dataset's root directory. Making, removing and renaming a directory in {@code .cowfs/snapshot}
 * takes, destroys and renames a snapshot. Thread-safe; no lock is held over a call of the shelf.
 */
final class SnapshotDirectories extends ReadOnlyFileSystem {
  private static final byte[] SNAPSHOT = "snapshot".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] CHECKPOINT = "checkpoint".getBytes(StandardCharsets.US_ASCII);

  private static final int LINKS_UNKNOWN = 1;
  private static final int CONTROL_ENTRIES = 2;

  private final FileSystem live;
  private final SnapshotTrees trees;
  private final SnapshotShelf shelf;
  private final SnapshotRights rights;

  SnapshotDirectories(
      FileSystem live, SnapshotTrees trees, SnapshotShelf shelf, SnapshotRights rights) {
    super(live, FsError.NOT_PERMITTED);
    this.live = live;
    this.trees = trees;
    this.shelf = shelf;
    this.rights = rights;
  }

  /** An open directory. */
  private record Handle(long inode) implements FileHandle {}

  static boolean owns(FileHandle handle) {
    return handle instanceof Handle;
  }

  static boolean isDirectory(long number) {
    return number == BrowseNumbers.CONTROL || isListing(number);
  }

  private static boolean isListing(long number) {
    return number == BrowseNumbers.SNAPSHOTS || number == BrowseNumbers.CHECKPOINTS;
  }

  private static void require(long number) throws FsException {
    if (!isDirectory(number)) {
      throw new FsException(FsError.STALE);
    }
  }

  private static SnapshotShelf.Kind kind(long listing) {
    return listing == BrowseNumbers.SNAPSHOTS
        ? SnapshotShelf.Kind.SNAPSHOT
        : SnapshotShelf.Kind.CHECKPOINT;
  }

  private static long parentOf(long number) {
    return number == BrowseNumbers.CONTROL ? ROOT_INODE : BrowseNumbers.CONTROL;
  }

  /** Bytes that are no ASCII become characters that no name has. */
  private static String text(byte[] name) {
    return new String(name, StandardCharsets.ISO_8859_1);
  }

  @Override
  public boolean changesUnannounced(long directory) {
    return true;
  }

  @Override
  public boolean keepsAllWritten(long directory) {
    return directory == BrowseNumbers.SNAPSHOTS;
  }

  @Override
  public Attributes lookup(long parent, byte[] name) throws FsException {
    require(parent);
    if (name.length > NAME_LENGTH_MAX) {
      throw new FsException(FsError.NAME_TOO_LONG);
    }
    if (DirectoryItems.isDot(name)) {
      return getAttributes(parent);
    }
    if (DirectoryItems.isDotDot(name)) {
      long above = parentOf(parent);
      return above == ROOT_INODE ? live.reference(above) : getAttributes(above);
    }
    if (isListing(parent)) {
      SnapshotShelf.Kept kept = shelf.find(kind(parent), text(name));
      if (kept == null) {
        throw new FsException(FsError.NOT_FOUND);
      }
      return referenceRoot(kept);
    }
    if (Arrays.equals(name, SNAPSHOT)) {
      return getAttributes(BrowseNumbers.SNAPSHOTS);
    }
    if (Arrays.equals(name, CHECKPOINT)) {
      return getAttributes(BrowseNumbers.CHECKPOINTS);
    }
    throw new FsException(FsError.NOT_FOUND);
  }

  /** One that is destroyed at this moment is not found. */
  private Attributes referenceRoot(SnapshotShelf.Kept kept) throws FsException {
    try {
      return trees.referenceRoot(kept.node());
    } catch (FsException refused) {
      if (refused.error() == FsError.STALE && shelf.byNode(kept.node()) == null) {
        throw new FsException(FsError.NOT_FOUND);
      }
      throw refused;
    }
  }

  /** They are always there: nothing is counted. */
  @Override
  public Attributes reference(long number) throws FsException {
    return getAttributes(number);
  }

  @Override
  public void forget(long number, long count) {}

  @Override
  public Attributes getAttributes(long number) throws FsException {
    require(number);
    Attributes root = live.getAttributes(ROOT_INODE);
    Timestamp changed = root.btime();
    if (isListing(number)) {
      SnapshotShelf.Kept newest = shelf.newest(kind(number));
      if (newest != null) {
        changed = Timestamp.of(newest.created());
      }
    }
    SnapshotRights who = number == BrowseNumbers.SNAPSHOTS ? rights : SnapshotRights.OWNER;
    return new Attributes(
        number,
        0,
        FileType.DIRECTORY.format() | who.mode(),
        LINKS_UNKNOWN,
        root.uid(),
        root.gid(),
        0,
        number == BrowseNumbers.CONTROL ? CONTROL_ENTRIES : 0,
        0,
        changed,
        changed,
        changed,
        root.btime());
  }

  /** Takes a snapshot. The mode does not matter: it is that of the dataset's root. */
  @Override
  public Attributes makeDirectory(Caller caller, long parent, byte[] name, int mode)
      throws FsException {
    if (parent != BrowseNumbers.SNAPSHOTS) {
      throw refused();
    }
    DirectoryItems.checkName(name);
    change(() -> shelf.take(text(name)));
    return lookup(parent, name);
  }

  /** Destroys a snapshot. */
  @Override
  public void removeDirectory(long parent, byte[] name) throws FsException {
    if (parent != BrowseNumbers.SNAPSHOTS) {
      throw refused();
    }
    if (shelf.find(SnapshotShelf.Kind.SNAPSHOT, text(name)) == null) {
      throw new FsException(FsError.NOT_FOUND);
    }
    change(() -> shelf.destroy(text(name)));
  }

  /** Renames a snapshot. None takes the place of another. */
  @Override
  public void rename(long parent, byte[] name, long newParent, byte[] newName, RenameMode mode)
      throws FsException {
    if (parent != BrowseNumbers.SNAPSHOTS
        || newParent != BrowseNumbers.SNAPSHOTS
        || mode == RenameMode.EXCHANGE) {
      throw refused();
    }
    DirectoryItems.checkName(newName);
    if (shelf.find(SnapshotShelf.Kind.SNAPSHOT, text(name)) == null) {
      throw new FsException(FsError.NOT_FOUND);
    }
    if (!Arrays.equals(name, newName)) {
      change(() -> shelf.rename(text(name), text(newName)));
    }
  }

  private interface Change {
    void run() throws java.io.IOException;
  }

  private void change(Change change) throws FsException {
    StorageErrors.call(
        () -> shelf.dataset() + ":/.cowfs/snapshot",
        () -> {
          change.run();
          return null;
        });
  }

  @Override
  public FileHandle openDirectory(long number, Set<OpenFlags> flags) throws FsException {
    require(number);
    return new Handle(number);
  }

  /** A snapshot's cookie is its id, so the order is that in which they were taken. */
  @Override
  public void readDirectory(FileHandle handle, long cookie, DirectoryVisitor visitor)
      throws FsException {
    long number = handle.inode();
    if (cookie < DirectoryReads.DOT
        && !directory(visitor, new byte[] {'.'}, number, DirectoryReads.DOT)) {
      return;
    }
    if (cookie < DirectoryReads.DOT_DOT
        && !directory(visitor, new byte[] {'.', '.'}, parentOf(number), DirectoryReads.DOT_DOT)) {
      return;
    }
    if (isListing(number)) {
      long after = Math.max(0, cookie - Items.FIRST_COOKIE);
      list(kind(number), (int) Math.min(after, Integer.MAX_VALUE), visitor);
      return;
    }
    long snapshots = Items.FIRST_COOKIE;
    if (cookie < snapshots
        && !directory(visitor, SNAPSHOT.clone(), BrowseNumbers.SNAPSHOTS, snapshots)) {
      return;
    }
    if (cookie <= snapshots) {
      directory(visitor, CHECKPOINT.clone(), BrowseNumbers.CHECKPOINTS, snapshots + 1);
    }
  }

  private void list(SnapshotShelf.Kind kind, int after, DirectoryVisitor visitor)
      throws FsException {
    for (SnapshotShelf.Kept kept : shelf.after(kind, after)) {
      byte[] name = kept.name().getBytes(StandardCharsets.ISO_8859_1);
      long root = BrowseNumbers.root(trees.slots().slotOf(kept.node()));
      if (!directory(visitor, name, root, Items.FIRST_COOKIE + kept.node())) {
        return;
      }
    }
  }

  private static boolean directory(DirectoryVisitor visitor, byte[] name, long number, long cookie)
      throws FsException {
    return visitor.entry(name, number, FileType.DIRECTORY, cookie);
  }

  @Override
  public void release(FileHandle handle) {}

  @Override
  public byte[] readSymlink(long number) throws FsException {
    throw new FsException(FsError.INVALID);
  }

  @Override
  public FileHandle open(long number, Set<OpenFlags> flags) throws FsException {
    throw new FsException(FsError.IS_A_DIRECTORY);
  }

  @Override
  public int read(FileHandle handle, long offset, int length, ByteBuffer destination)
      throws FsException {
    throw new FsException(FsError.IS_A_DIRECTORY);
  }

  @Override
  public long seek(FileHandle handle, long offset, SeekTarget target) throws FsException {
    throw new FsException(FsError.INVALID);
  }

  @Override
  public Set<InodeFlag> getFlags(long number) throws FsException {
    require(number);
    return Set.of();
  }

  @Override
  public byte[] getXattr(long number, byte[] name) throws FsException {
    require(number);
    throw new FsException(FsError.NO_ATTRIBUTE);
  }

  @Override
  public byte[] listXattrs(long number) throws FsException {
    require(number);
    return new byte[0];
  }
}
