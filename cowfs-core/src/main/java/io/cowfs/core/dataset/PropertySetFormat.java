package io.cowfs.core.dataset;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A {@link PropertySet} as bytes: entries one after the other, by name ascending, none twice. An
 * entry is the length of its name and of its value in bytes, little-endian, then the name, then the
 * value in UTF-8. The empty set has no bytes.
 */
final class PropertySetFormat {
  static final int NAME_BYTES = 0;
  static final int VALUE_BYTES = NAME_BYTES + Short.BYTES;
  static final int NAME = VALUE_BYTES + Short.BYTES;

  private PropertySetFormat() {}

  /** The size of an entry. */
  static int entryBytes(int nameBytes, int valueBytes) {
    return NAME + nameBytes + valueBytes;
  }

  /** At most {@link PropertySet#MAX_BYTES}. */
  static byte[] encode(PropertySet set) {
    ByteBuffer buffer = ByteBuffer.allocate(PropertySet.MAX_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (Map.Entry<String, String> entry : set.values().entrySet()) {
      byte[] name = entry.getKey().getBytes(UTF_8);
      byte[] value = entry.getValue().getBytes(UTF_8);
      buffer.putShort((short) name.length).putShort((short) value.length).put(name).put(value);
    }
    byte[] encoded = new byte[buffer.position()];
    buffer.get(0, encoded);
    return encoded;
  }

  /**
   * Decodes and checks a set.
   *
   * @throws BadRecordException when {@link #encode} would not have written it
   */
  static PropertySet decode(byte[] encoded) throws BadRecordException {
    require(encoded.length <= PropertySet.MAX_BYTES, "are too long");
    ByteBuffer buffer = ByteBuffer.wrap(encoded).order(ByteOrder.LITTLE_ENDIAN);
    SortedMap<String, String> values = new TreeMap<>();
    while (buffer.hasRemaining()) {
      require(buffer.remaining() >= NAME, "are cut short");
      int nameBytes = Short.toUnsignedInt(buffer.getShort());
      int valueBytes = Short.toUnsignedInt(buffer.getShort());
      String name = text(buffer, nameBytes);
      String value = text(buffer, valueBytes);
      require(values.isEmpty() || values.lastKey().compareTo(name) < 0, "are out of order");
      values.put(name, value);
    }
    try {
      return PropertySet.of(values);
    } catch (DatasetException e) {
      throw new BadRecordException("the properties are wrong: " + e.getMessage());
    }
  }

  private static String text(ByteBuffer buffer, int bytes) throws BadRecordException {
    require(buffer.remaining() >= bytes, "are cut short");
    ByteBuffer text = buffer.slice(buffer.position(), bytes);
    buffer.position(buffer.position() + bytes);
    try {
      return PropertyText.decode(text);
    } catch (CharacterCodingException e) {
      throw new BadRecordException("the properties are no UTF-8: " + e.getMessage());
    }
  }

  private static void require(boolean condition, String what) throws BadRecordException {
    if (!condition) {
      throw new BadRecordException("the properties " + what);
    }
  }
}
