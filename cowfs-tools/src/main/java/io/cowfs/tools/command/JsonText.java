package io.cowfs.tools.command;

/** Strings as JSON (RFC 8259) has them. */
final class JsonText {
  private JsonText() {}

  /** In quotation marks, with everything escaped that must be. */
  static String quote(String s) {
    StringBuilder quoted = new StringBuilder(s.length() + 2).append('"');
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < ' ' || Character.isSurrogate(c)) {
        quoted.append("\\u%04x".formatted((int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }

  /** Quoted; {@code null} for the empty string. */
  static String orNull(String s) {
    return s.isEmpty() ? "null" : quote(s);
  }
}
