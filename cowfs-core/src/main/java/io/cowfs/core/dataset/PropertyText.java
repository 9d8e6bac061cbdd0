package io.cowfs.core.dataset;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.cowfs.core.dataset.DatasetException.Reason;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;

/** What every name and value of a property keeps to, whatever it means. */
final class PropertyText {
  static final int MAX_VALUE_BYTES = 1_024;

  /** Names of properties that users invent begin so. */
  static final String USER = "user:";

  private PropertyText() {}

  /**
   * Checks the form of a name, not whether the property exists.
   *
   * @throws DatasetException INVALID_NAME, NAME_TOO_LONG
   */
  static void requireName(String name) throws DatasetException {
    Names.requireComponent("property", name);
    if (isUser(name)) {
      Names.requireComponent("property", name.substring(USER.length()));
    }
  }

  static boolean isUser(String name) {
    return name.startsWith(USER);
  }

  /**
   * Checks that a value is text of at most {@link #MAX_VALUE_BYTES} in UTF-8 that prints in one
   * line.
   *
   * @throws DatasetException INVALID_VALUE
   */
  static void requireValue(String name, String value) throws DatasetException {
    if (value.codePoints().anyMatch(c -> Character.getType(c) == Character.CONTROL)) {
      throw invalid(name, "contains a control character");
    }
    if (value.codePoints().anyMatch(c -> Character.getType(c) == Character.SURROGATE)) {
      throw invalid(name, "is no valid text");
    }
    int bytes = value.getBytes(UTF_8).length;
    if (bytes > MAX_VALUE_BYTES) {
      throw invalid(
          name, "is %d bytes long; at most %d are allowed".formatted(bytes, MAX_VALUE_BYTES));
    }
  }

  /** Reads UTF-8, and nothing that only resembles it. */
  static String decode(ByteBuffer bytes) throws CharacterCodingException {
    CharBuffer text = UTF_8.newDecoder().decode(bytes);
    return text.toString();
  }

  private static DatasetException invalid(String name, String what) {
    return new DatasetException(
        Reason.INVALID_VALUE, "the value of '%s' %s".formatted(Names.printable(name), what));
  }
}
