package io.cowfs.core.fs;

import io.cowfs.core.block.CorruptBlockException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** The value of an xattr item. Little-endian. */
final class XattrFormat {
  /** 0: the value follows the name; 1: its id follows the name. */
  static final int EXTERNAL = 0;

  static final int NAME_LENGTH = EXTERNAL + Byte.BYTES;
  static final int VALUE_LENGTH = NAME_LENGTH + Byte.BYTES;
  static final int NAME = VALUE_LENGTH + Integer.BYTES;

  /**
   * @param length of the value, in bytes
   * @param inlineValue null when the value has items of its own
   * @param valueId under which those stand
   */
  record Xattr(byte[] name, int length, byte[] inlineValue, long valueId) {
    boolean isExternal() {
      return inlineValue == null;
    }
  }

  private XattrFormat() {}

  static byte[] encodeInline(byte[] name, byte[] value) {
    return header(name, value.length, value.length, 0).put(value).array();
  }

  static byte[] encodeExternal(byte[] name, int length, long valueId) {
    return header(name, length, Long.BYTES, 1).putLong(valueId).array();
  }

  private static ByteBuffer header(byte[] name, int length, int bytesAfterName, int external) {
    return ByteBuffer.allocate(NAME + name.length + bytesAfterName)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put((byte) external)
        .put((byte) name.length)
        .putInt(length)
        .put(name);
  }

  static Xattr decode(byte[] value) throws CorruptBlockException {
    if (value.length > NAME) {
      int nameEnd = NAME + (value[NAME_LENGTH] & 255);
      int length = InodeFormat.getInt(value, VALUE_LENGTH);
      boolean fits =
          length >= 0
              && length <= Xattrs.VALUE_BYTES_MAX
              && nameEnd <= value.length
              && isName(value, nameEnd);
      if (fits && value[EXTERNAL] == 0 && value.length == nameEnd + length) {
        byte[] name = Arrays.copyOfRange(value, NAME, nameEnd);
        return new Xattr(name, length, Arrays.copyOfRange(value, nameEnd, value.length), 0);
      }
      if (fits && value[EXTERNAL] == 1 && value.length == nameEnd + Long.BYTES) {
        byte[] name = Arrays.copyOfRange(value, NAME, nameEnd);
        return new Xattr(name, length, null, InodeFormat.getLong(value, nameEnd));
      }
    }
    throw new CorruptBlockException("xattr item of " + value.length + " bytes is malformed");
  }

  /** In a list, names end with NUL. */
  private static boolean isName(byte[] value, int end) {
    for (int at = NAME; at < end; at++) {
      if (value[at] == 0) {
        return false;
      }
    }
    return end > NAME;
  }
}
