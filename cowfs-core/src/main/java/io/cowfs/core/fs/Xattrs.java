package io.cowfs.core.fs;

import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.btree.Key;
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
      XattrReads.Found old = reads.find(number, name);
      if (old == null && mode == XattrMode.REPLACE) {
        throw new FsException(FsError.NO_ATTRIBUTE);
      }
      if (old != null && mode == XattrMode.CREATE) {
        throw new FsException(FsError.EXISTS);
      }
      Key key = old != null ? old.key() : freeSlot(number, name);
      boolean external = value.length > Items.CHUNK_BYTES;
      long valueId = external ? volume.nextInodeNumber() : 0;

      change.join();
      if (old != null) {
        deleteExternal(change, number, old.xattr());
      }
      for (int at = 0; external && at < value.length; at += Items.CHUNK_BYTES) {
        byte[] chunk =
            Arrays.copyOfRange(value, at, Math.min(value.length, at + Items.CHUNK_BYTES));
        change.put(Items.xattrValue(number, valueId, at / Items.CHUNK_BYTES), chunk);
      }
      change.put(
          key,
          external
              ? XattrFormat.encodeExternal(name, value.length, valueId)
              : XattrFormat.encodeInline(name, value));
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
      XattrReads.Found old = reads.find(number, name);
      if (old == null) {
        throw new FsException(FsError.NO_ATTRIBUTE);
      }
      change.join();
      deleteExternal(change, number, old.xattr());
      change.delete(old.key());
      inode.ctime = change.now();
      change.store(inode);
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
