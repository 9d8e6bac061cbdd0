package io.cowfs.core.fs;

import io.cowfs.core.btree.Tree;
import io.cowfs.core.txg.TransactionalTree;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.Timestamp;
import java.io.IOException;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Reads the tree of one snapshot, by the same classes as a live one: it is a tree to which nothing
 * is ever changed. Numbers are those within the snapshot. Thread-safe.
 *
 * <p>Whoever calls holds a {@link io.cowfs.core.txg.ReadPins.Pin} that he took before he saw that
 * the snapshot is there. Nothing here needs to be closed.
 */
final class SnapshotVolume {
  private final boolean isEmpty;
  private final VolumeServices.Owner owner;
  private final Timestamp taken;
  private final TransactionalTree tree;
  private final DirectoryItems directories;
  private final DirectoryReads directoryReads;
  private final FileReads reads;
  private final FileSeek seek;
  private final XattrReads xattrs;

  SnapshotVolume(VolumeServices services, SnapshotShelf.Kept kept) {
    // Taken before the dataset was mounted for the first time, which gives it its root directory.
    this.isEmpty = kept.root().isEmpty();
    this.owner = services.owner();
    this.taken = Timestamp.of(kept.created());
    // No txg ever changes it, so the numbers of txgs do not matter.
    this.tree = new TransactionalTree(new Tree(kept.root().orElse(null), services.nodes()), 0, 1);
    this.directories = new DirectoryItems(tree);
    // A gate that nobody shuts.
    this.directoryReads =
        new DirectoryReads(tree, directories, new ReentrantReadWriteLock().readLock());
    this.reads = new FileReads(tree, services.store(), services.pages().arena);
    this.seek = new FileSeek(tree);
    this.xattrs = new XattrReads(tree);
  }

  /**
   * Reads an inode. It belongs to the caller and needs no lock as long as nobody changes it.
   *
   * @throws FsException STALE when the snapshot has no such inode, or only as an orphan
   */
  Inode load(long number) throws FsException, IOException {
    byte[] value = tree.get(Items.inode(number));
    if (value == null && isEmpty && number == FileSystem.ROOT_INODE) {
      return Creation.newRoot(owner, taken);
    }
    if (value == null) {
      throw new FsException(FsError.STALE);
    }
    Inode inode = new Inode(number);
    inode.decode(value);
    if (inode.nlink == 0) {
      throw new FsException(FsError.STALE);
    }
    return inode;
  }

  DirectoryItems directories() {
    return directories;
  }

  DirectoryReads directoryReads() {
    return directoryReads;
  }

  FileReads reads() {
    return reads;
  }

  FileSeek seek() {
    return seek;
  }

  XattrReads xattrs() {
    return xattrs;
  }
}
