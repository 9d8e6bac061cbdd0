package io.cowfs.core.fs;

import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.vfs.FileType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** The values of directory entries and of back references. Little-endian. */
final class NameFormat {
  /** The inode that an entry leads to, or the directory that a back reference leads to. */
  static final int INODE = 0;

  /** The {@code d_type} of the entry; 0 in a back reference. */
  static final int TYPE = INODE + Long.BYTES;

  static final int NAME = TYPE + Byte.BYTES;

  private static final int TYPE_MASK = 15;

  /** One name with what it leads to. */
  record Entry(long inode, FileType type, byte[] name) {
    boolean isNamed(byte[] other) {
      return Arrays.equals(name, other);
    }
  }

  private NameFormat() {}

  static byte[] encode(long inode, FileType type, byte[] name) {
    return ByteBuffer.allocate(NAME + name.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(inode)
        .put((byte) (type == null ? 0 : type.directoryEntryType()))
        .put(name)
        .array();
  }

  static Entry decode(byte[] value) throws CorruptBlockException {
    if (value.length <= NAME || value.length > NAME + 255) {
      throw new CorruptBlockException("directory item of " + value.length + " bytes");
    }
    Entry entry =
        new Entry(
            InodeFormat.getLong(value, INODE),
            FileType.ofMode((value[TYPE] & TYPE_MASK) << 12),
            Arrays.copyOfRange(value, NAME, value.length));
    boolean isOfType = (value[TYPE] & ~TYPE_MASK) == 0 && (value[TYPE] == 0 || entry.type != null);
    if (entry.inode <= 0 || !isOfType || !canBe(entry.name)) {
      throw new CorruptBlockException("directory item with an impossible name, inode or type");
    }
    return entry;
  }

  private static boolean canBe(byte[] name) {
    for (byte b : name) {
      if (b == '/' || b == 0) {
        return false;
      }
    }
    return !DirectoryItems.isDot(name) && !DirectoryItems.isDotDot(name);
  }

  /** True when the value holds this name; decodes nothing. */
  static boolean isNamed(byte[] value, byte[] name) {
    return Arrays.equals(value, Math.min(NAME, value.length), value.length, name, 0, name.length);
  }
}
