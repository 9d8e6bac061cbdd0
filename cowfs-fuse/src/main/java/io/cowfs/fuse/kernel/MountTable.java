package io.cowfs.fuse.kernel;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What the kernel says about mounts ({@code /proc/self/mountinfo}, see proc(5)). */
final class MountTable {
  private static final Path MOUNT_INFO = Path.of("/proc/self/mountinfo");
  private static final int FIELD_DEVICE = 2;
  private static final int FIELD_MOUNT_POINT = 4;

  private MountTable() {}

  /**
   * The device ({@code major:minor}) of the topmost mount on this path.
   *
   * @param realPath without symbolic links
   */
  static Optional<String> deviceOf(Path realPath) throws IOException {
    String wanted = realPath.toString();
    String found = null;
    String table = new String(Files.readAllBytes(MOUNT_INFO), StandardCharsets.UTF_8);
    for (String line : table.split("\n", -1)) {
      String[] fields = line.split(" ", -1);
      if (fields.length > FIELD_MOUNT_POINT && unescape(fields[FIELD_MOUNT_POINT]).equals(wanted)) {
        found = fields[FIELD_DEVICE];
      }
    }
    return Optional.ofNullable(found);
  }

  /** Blanks, tabs, newlines and backslashes stand there as a backslash and three octal digits. */
  static String unescape(String field) {
    StringBuilder plain = new StringBuilder(field.length());
    for (int i = 0; i < field.length(); i++) {
      if (field.charAt(i) == '\\' && i + 3 < field.length()) {
        plain.append((char) Integer.parseInt(field.substring(i + 1, i + 4), 8));
        i += 3;
      } else {
        plain.append(field.charAt(i));
      }
    }
    return plain.toString();
  }
}
