package io.cowfs.core.fs;

import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.btree.Key;
import io.cowfs.core.vfs.CacheInvalidator;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The changes of names and attributes by which a path is restored. Each is atomic, like a system
 * call, and kept in mind for the front end's caches. Belongs to one thread.
 */
final class RestoredNames {
  private static final int REMOVAL_TRIES = 3;

  private record Name(long directory, byte[] name) {}

  private record Listed(Name name, long inode) {}

  private final VolumeState volume;
  private final Removal removal;
  private final List<Name> changedNames = new ArrayList<>();
  private final Set<Long> changedDirectories = new LinkedHashSet<>();
  private final Set<Long> changedAttributes = new LinkedHashSet<>();

  RestoredNames(VolumeState volume) {
    this.volume = volume;
    this.removal = new Removal(volume, InodeFlags.Obedience.OVERRIDES);
  }

  /**
   * Gives a name to an inode, in place of what has the name. A copy from an {@link InodeStage} that
   * has no link yet ceases to be an orphan.
   *
   * @param staged the copy, when this is its first name; else null
   * @param number of the inode
   * @param expected what has the name, no directory; 0 for nothing
   * @throws FsException BUSY when the name has become another's
   */
  void place(long parentNumber, byte[] name, Inode staged, long number, long expected)
      throws FsException, IOException {
    try (Mutation change = Mutation.begin(volume, Caller.ROOT, ReserveTier.WRITE)) {
      Inode parent = change.use(parentNumber);
      Inode old = expected == 0 ? null : change.use(expected);
      Inode child = staged != null ? staged : change.use(number);
      change.lock(parent, old, staged != null ? null : child);
      Key entry = checkName(parent, name, old);
      boolean directory = child.isDirectory();
      if (!directory && child.nlink >= Creation.LINKS_MAX) {
        throw new FsException(FsError.TOO_MANY_LINKS);
      }
      if (staged == null && child.nlink == 0) {
        throw new FsException(FsError.BUSY);
      }
      DirectoryItems directories = volume.directories();
      Key oldBack = old == null ? null : directories.backReference(expected, parentNumber, name);
      Key back = directories.freeBackReference(number, parentNumber, name);

      change.join(
          entry,
          oldBack,
          back,
          old == null ? null : Mutation.orphanOfLast(old),
          staged == null ? null : Items.orphan(number),
          Items.inode(number));
      if (old != null) {
        change.delete(oldBack);
        change.dropLink(old);
      }
      DirectoryItems.link(change, entry, back, parentNumber, name, child);
      child.nlink += directory ? 2 : 1;
      child.ctime = change.now();
      if (staged != null) {
        child.unlinked = false;
        change.deleteOrphan(child);
        change.add(child);
      }
      change.store(child);
      change.touchDirectory(parent, old == null ? 1 : 0, directory ? 1 : 0);
    }
    changed(parentNumber, name, expected, number);
  }

  /** Where the entry goes. The parent is locked. */
  private Key checkName(Inode parent, byte[] name, Inode old) throws FsException, IOException {
    volume.requireLiveDirectory(parent);
    DirectoryItems.Found found = volume.directories().find(parent.number, name);
    boolean asExpected = found == null ? old == null : old != null && found.inode() == old.number;
    if (!asExpected || (old != null && old.isDirectory())) {
      throw new FsException(FsError.BUSY);
    }
    return found != null ? found.key() : volume.directories().freeEntry(parent.number, name);
  }

  /** Kept for the front end only where it can know the name or the inode. */
  private void changed(long parent, byte[] name, long... inodes) {
    if (volume.inodes().isReferenced(parent)) {
      changedNames.add(new Name(parent, name));
      changedDirectories.add(parent);
    }
    for (long inode : inodes) {
      if (inode != 0 && volume.inodes().isReferenced(inode)) {
        changedAttributes.add(inode);
      }
    }
  }

  /** Removes a name of something that is no directory, unless it is gone already. */
  void unlink(long parent, byte[] name, long inode) throws FsException, IOException {
    try {
      removal.unlink(parent, name);
    } catch (FsException refused) {
      if (refused.error() != FsError.NOT_FOUND) {
        throw refused;
      }
    }
    changed(parent, name, inode);
  }

  /**
   * Removes a directory with everything in it.
   *
   * @return how many entries that were, itself included
   */
  long removeTree(long parent, byte[] name, long number) throws FsException, IOException {
    for (int left = REMOVAL_TRIES; ; left--) {
      try {
        return tryRemoveTree(new Listed(new Name(parent, name), number));
      } catch (FsException refused) {
        // Something new came in behind the place that was reached.
        if (refused.error() != FsError.NOT_EMPTY || left == 1) {
          throw refused;
        }
      }
    }
  }

  private long tryRemoveTree(Listed top) throws FsException, IOException {
    ItemSource live = ItemSource.of(volume.tree());
    List<Listed> directories = new ArrayList<>(List.of(top));
    long removed = 0;
    for (int i = 0; i < directories.size(); i++) {
      long directory = directories.get(i).inode;
      ItemCursor cursor = new ItemCursor(live, directory, Items.DIRECTORY_ENTRY);
      for (var item = cursor.poll(); item != null; item = cursor.poll()) {
        NameFormat.Entry entry = NameFormat.decode(item.getValue());
        if (entry.type() == FileType.DIRECTORY) {
          directories.add(new Listed(new Name(directory, entry.name()), entry.inode()));
        } else {
          unlink(directory, entry.name(), entry.inode());
          removed++;
        }
      }
    }
    for (int i = directories.size() - 1; i >= 0; i--) {
      Listed directory = directories.get(i);
      removal.removeDirectory(directory.name.directory, directory.name.name);
      changed(directory.name.directory, directory.name.name, directory.inode);
      removed++;
    }
    return removed;
  }

  /**
   * Gives an inode the mode, the owner, the time of modification and the extended attributes of
   * another. Does nothing where it has them.
   *
   * @param wanted whose attributes it gets
   * @param xattrs its items, with 0 for the inode
   */
  void setAttributes(long number, Inode wanted, NavigableMap<Key, byte[]> xattrs)
      throws FsException, IOException {
    int more = 0;
    for (byte[] value : xattrs.values()) {
      more += Mutation.sectorsOfItems(value.length + 64) + 1;
    }
    try (Mutation change = Mutation.begin(volume, Caller.ROOT, ReserveTier.WRITE, more)) {
      Inode inode = change.use(number);
      change.lock(inode);
      NavigableMap<Key, byte[]> old =
          ItemSource.of(volume.tree()).itemsOf(number, Items.XATTR, Items.XATTR_VALUE);
      if (inode.mode == wanted.mode
          && inode.uid == wanted.uid
          && inode.gid == wanted.gid
          && inode.flags == wanted.flags
          && inode.mtime.equals(wanted.mtime)
          && PathComparison.equalItems(old, xattrs)) {
        return;
      }
      // The items behind it have been read.
      change.join(new Key(number, Items.XATTR, 0));
      inode.mode = wanted.mode;
      inode.uid = wanted.uid;
      inode.gid = wanted.gid;
      inode.flags = wanted.flags;
      inode.mtime = wanted.mtime;
      inode.ctime = change.now();
      for (Key key : old.keySet()) {
        if (!xattrs.containsKey(key)) {
          change.delete(new Key(number, key.kind(), key.low()));
        }
      }
      inode.hasDefaultAcl = Inode.DefaultAcl.UNKNOWN;
      xattrs.forEach((key, value) -> change.put(new Key(number, key.kind(), key.low()), value));
      change.store(inode);
    }
    if (volume.inodes().isReferenced(number)) {
      changedAttributes.add(number);
    }
  }

  /**
   * What tells the front end what it may know and is no longer so, since the last call. No lock may
   * be held by who runs it.
   *
   * @param frontEnd who is told, as it is then
   */
  Runnable telling(Supplier<CacheInvalidator> frontEnd) {
    List<Name> names = List.copyOf(changedNames);
    List<Long> directories = List.copyOf(changedDirectories);
    List<Long> attributes = List.copyOf(changedAttributes);
    changedNames.clear();
    changedDirectories.clear();
    changedAttributes.clear();
    return () -> {
      CacheInvalidator told = frontEnd.get();
      names.forEach(name -> told.entryChanged(name.directory, name.name));
      directories.forEach(told::inodeChanged);
      attributes.forEach(told::attributesChanged);
    };
  }
}
