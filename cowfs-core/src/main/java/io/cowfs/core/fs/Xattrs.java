package io.cowfs.core.fs;

import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.btree.Key;
import io.cowfs.core.vfs.AclKind;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.XattrMode;
import java.io.IOException;
import java.util.Arrays;

/**
 * Changes extended attributes, which are items. One stands under the hash of its name, in the first
 * free of eight slots; a long value is cut into items of its own. Thread-safe.
 */
final class Xattrs {
  static final int NAME_BYTES_MAX = 255;
  static final int VALUE_BYTES_MAX = 64 << 10;

  private final VolumeState volume;
  private final XattrReads reads;

  Xattrs(VolumeState volume, XattrReads reads) {
    this.volume = volume;
    this.reads = reads;
  }

  void set(long number, byte[] name, byte[] value, XattrMode mode) throws FsException, IOException {
    if (name.length == 0 || name.length > NAME_BYTES_MAX) {
      throw new FsException(FsError.RANGE);
    }
    if (value.length > VALUE_BYTES_MAX) {
      throw new FsException(FsError.ARGUMENT_TOO_LONG);
    }
    try (Mutation change =
        Mutation.begin(
            volume, Caller.ROOT, ReserveTier.WRITE, Mutation.sectorsOfItems(value.length))) {
      Inode inode = change.use(number);
      change.lock(inode);
      if (volume.inodes().isUnsettled(inode)) {
        return;
      }
      InodeFlags.checkUnbarred(inode);
      XattrReads.Found old = reads.find(number, name);
      if (old == null && mode == XattrMode.REPLACE) {
        throw new FsException(FsError.NO_ATTRIBUTE);
      }
      if (old != null && mode == XattrMode.CREATE) {
        throw new FsException(FsError.EXISTS);
      }
      Place place = place(number, name, old);

      change.join();
      put(change, number, place, name, value);
      changed(inode, name);
      inode.ctime = change.now();
      change.store(inode);
    }
  }

  void remove(long number, byte[] name) throws FsException, IOException {
    try (Mutation change = Mutation.begin(volume, Caller.ROOT, ReserveTier.DELETE)) {
      Inode inode = change.use(number);
      change.lock(inode);
      if (volume.inodes().isUnsettled(inode)) {
        return;
      }
      InodeFlags.checkUnbarred(inode);
      XattrReads.Found old = reads.find(number, name);
      if (old == null && AclKind.ofXattr(name) != null) {
        // A list that says no more than the mode is not kept, and can be removed all the same.
        return;
      }
      if (old == null) {
        throw new FsException(FsError.NO_ATTRIBUTE);
      }
      requireChangeable(number, old.key());
      change.join();
      delete(change, number, old);
      changed(inode, name);
      inode.ctime = change.now();
      change.store(inode);
    }
  }

  /**
   * Where an attribute goes.
   *
   * @param old what has the name now, or null
   */
  record Place(XattrReads.Found old, Key key) {}

  /** The place of an attribute, before the change joins. The inode must be locked. */
  Place place(long number, byte[] name) throws FsException, IOException {
    return place(number, name, reads.find(number, name));
  }

  private Place place(long number, byte[] name, XattrReads.Found old)
      throws FsException, IOException {
    Key key = old != null ? old.key() : freeSlot(number, name);
    requireChangeable(number, key);
    return new Place(old, key);
  }

  /** An attribute and the values of all, new ones included. */
  void requireChangeable(long number, Key attribute) throws IOException {
    volume.tree().requireChangeable(attribute, new Key(number, Items.XATTR_VALUE, -1L));
  }

  /** The place of an attribute of a new inode that has none of this hash. */
  static Place firstPlace(long number, byte[] name) {
    return new Place(null, new Key(number, Items.XATTR, Items.firstSlot(name)));
  }

  /** Puts an attribute into its place. The change has joined. */
  void put(Mutation change, long number, Place place, byte[] name, byte[] value) {
    if (place.old() != null) {
      deleteExternal(change, number, place.old().xattr());
    }
    boolean external = value.length > Items.CHUNK_BYTES;
    boolean replaces = place.old() != null && place.old().xattr().isExternal();
    long valueId =
        !external ? 0 : replaces ? place.old().xattr().valueId() : volume.nextInodeNumber();
    for (int at = 0; external && at < value.length; at += Items.CHUNK_BYTES) {
      byte[] chunk = Arrays.copyOfRange(value, at, Math.min(value.length, at + Items.CHUNK_BYTES));
      change.put(Items.xattrValue(number, valueId, at / Items.CHUNK_BYTES), chunk);
    }
    change.put(
        place.key(),
        external
            ? XattrFormat.encodeExternal(name, value.length, valueId)
            : XattrFormat.encodeInline(name, value));
  }

  /** Takes an attribute away. The change has joined. */
  void delete(Mutation change, long number, XattrReads.Found old) {
    deleteExternal(change, number, old.xattr());
    change.delete(old.key());
  }

  private static void changed(Inode inode, byte[] name) {
    if (AclKind.ofXattr(name) == AclKind.DEFAULT) {
      inode.hasDefaultAcl = Inode.DefaultAcl.UNKNOWN;
    }
  }

  private static void deleteExternal(Mutation change, long inode, XattrFormat.Xattr xattr) {
    for (int at = 0; xattr.isExternal() && at < xattr.length(); at += Items.CHUNK_BYTES) {
      change.delete(Items.xattrValue(inode, xattr.valueId(), at / Items.CHUNK_BYTES));
    }
  }

  private Key freeSlot(long inode, byte[] name) throws FsException, IOException {
    long first = Items.firstSlot(name);
    for (long slot = first; slot <= (first | Items.SLOT_MASK); slot++) {
      Key key = new Key(inode, Items.XATTR, slot);
      if (volume.tree().get(key) == null) {
        return key;
      }
    }
    throw new FsException(FsError.NO_SPACE);
  }
}
