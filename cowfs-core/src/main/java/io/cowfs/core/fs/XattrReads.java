package io.cowfs.core.fs;

import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.btree.Key;
import io.cowfs.core.txg.TransactionalTree;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;

/** Reads extended attributes, of a live tree or of a snapshot's. Thread-safe. */
final class XattrReads {
  private final TransactionalTree tree;

  XattrReads(TransactionalTree tree) {
    this.tree = tree;
  }

  /** An attribute and where it stands. */
  record Found(Key key, XattrFormat.Xattr xattr) {}

  /** The value; the inode must be locked. */
  byte[] get(long number, byte[] name) throws FsException, IOException {
    Found found = find(number, name);
    if (found == null) {
      throw new FsException(FsError.NO_ATTRIBUTE);
    }
    return valueOf(number, found);
  }

  /** The value of an attribute that was found; the inode must still be locked. */
  byte[] valueOf(long number, Found found) throws IOException {
    XattrFormat.Xattr xattr = found.xattr;
    if (!xattr.isExternal()) {
      return xattr.inlineValue();
    }
    ByteArrayOutputStream value = new ByteArrayOutputStream(xattr.length());
    for (int chunk = 0; value.size() < xattr.length(); chunk++) {
      byte[] part = tree.get(Items.xattrValue(number, xattr.valueId(), chunk));
      if (part == null || part.length == 0 || part.length > xattr.length() - value.size()) {
        throw new CorruptBlockException("inode " + number + ": an xattr lacks part of its value");
      }
      value.writeBytes(part);
    }
    return value.toByteArray();
  }

  /** All names, each followed by NUL; the inode must be locked. */
  byte[] list(long number) throws IOException {
    ByteArrayOutputStream names = new ByteArrayOutputStream();
    tree.scan(
        new Key(number, Items.XATTR, 0),
        new Key(number, Items.XATTR, -1L),
        (key, value) -> {
          names.writeBytes(XattrFormat.decode(value).name());
          names.write(0);
          return true;
        });
    return names.toByteArray();
  }

  /** The attribute of this name, or null; the inode must be locked. */
  Found find(long inode, byte[] name) throws IOException {
    long slot = Items.firstSlot(name);
    Found[] found = new Found[1];
    tree.scan(
        new Key(inode, Items.XATTR, slot),
        new Key(inode, Items.XATTR, slot | Items.SLOT_MASK),
        (key, value) -> {
          XattrFormat.Xattr xattr = XattrFormat.decode(value);
          if (!Arrays.equals(xattr.name(), name)) {
            return true;
          }
          found[0] = new Found(key, xattr);
          return false;
        });
    return found[0];
  }
}
