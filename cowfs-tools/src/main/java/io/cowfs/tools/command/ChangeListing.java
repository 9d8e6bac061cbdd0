package io.cowfs.tools.command;

import io.cowfs.core.fs.FileChange;
import io.cowfs.core.fs.FileChange.Kind;
import io.cowfs.core.vfs.FileType;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;

/** The layouts of {@code cowfs diff}, one line for each change. Belongs to one thread. */
final class ChangeListing {
  private static final String ARROW = " -> ";

  private final PrintWriter out;

  ChangeListing(PrintWriter out) {
    this.out = out;
  }

  /** For users. No two changes look the same. */
  void printText(FileChange change) {
    out.print(letter(change.kind()));
    out.print(' ');
    if (change.oldPath() != null) {
      out.print(text(change.oldPath(), change.type()));
      out.print(ARROW);
    }
    out.print(text(change.path(), change.type()));
    out.print('\n');
  }

  /** For programs: one JSON object (RFC 8259). */
  void printJson(FileChange change) {
    StringBuilder line = new StringBuilder(160);
    line.append("{\"kind\": \"").append(change.kind().name().toLowerCase(Locale.ROOT));
    line.append("\", \"path\": ");
    appendPath(line, "path", change.path());
    line.append(", \"oldPath\": ");
    if (change.oldPath() == null) {
      line.append("null");
    } else {
      appendPath(line, "oldPath", change.oldPath());
    }
    line.append(", \"type\": \"").append(name(change.type()));
    line.append("\", \"inode\": ").append(change.inode()).append('}');
    out.print(line);
    out.print('\n');
  }

  private static char letter(Kind kind) {
    return switch (kind) {
      case ADDED -> '+';
      case REMOVED -> '-';
      case RENAMED -> 'R';
      case MODIFIED -> 'M';
    };
  }

  private static String name(FileType type) {
    return switch (type) {
      case REGULAR -> "file";
      default -> type.name().toLowerCase(Locale.ROOT).replace('_', '-');
    };
  }

  /** A path, so that no two look the same, and none disturbs a terminal. */
  static String text(byte[] path, FileType type) {
    StringBuilder text = new StringBuilder(path.length + 8);
    for (int at = 0; at < path.length; ) {
      int length = characterBytes(path, at);
      String character = length == 0 ? "" : new String(path, at, length, StandardCharsets.UTF_8);
      if (length == 0 || !isPrintable(character.codePointAt(0))) {
        int end = at + Math.max(1, length);
        for (; at < end; at++) {
          text.append("\\%03o".formatted(path[at] & 255));
        }
      } else {
        text.append(character.equals("\\") ? "\\\\" : character);
        at += length;
      }
    }
    if (type == FileType.DIRECTORY && path[path.length - 1] != '/') {
      text.append('/');
    }
    return text.toString().replace(" ->", " -\\076");
  }

  /** Controls, and what changes the direction or the lines of a terminal, are not. */
  private static boolean isPrintable(int character) {
    return switch (Character.getType(character)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.UNASSIGNED,
          Character.PRIVATE_USE ->
          false;
      default -> true;
    };
  }

  /** Length of the UTF-8 character at an offset, or 0 when there is none. */
  private static int characterBytes(byte[] bytes, int at) {
    int first = bytes[at] & 255;
    int length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    return length == 1
            || (length > 1
                && at + length <= bytes.length
                && decode(ByteBuffer.wrap(bytes, at, length)) != null)
        ? length
        : 0;
  }

  /** Null when the bytes are no UTF-8. */
  private static String decode(ByteBuffer bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  /** A path as a JSON string; followed by its bytes, as another field, where it is no UTF-8. */
  static void appendPath(StringBuilder line, String field, byte[] path) {
    String decoded = decode(ByteBuffer.wrap(path));
    appendQuoted(line, decoded == null ? new String(path, StandardCharsets.UTF_8) : decoded);
    if (decoded == null) {
      line.append(", \"").append(field).append("Base64\": \"");
      line.append(Base64.getEncoder().encodeToString(path)).append('"');
    }
  }

  private static void appendQuoted(StringBuilder line, String text) {
    line.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        line.append('\\').append(c);
      } else if (c < ' ' || (c >= 0x7F && c < 0xA0)) {
        line.append("\\u%04x".formatted((int) c));
      } else {
        line.append(c);
      }
    }
    line.append('"');
  }
}
