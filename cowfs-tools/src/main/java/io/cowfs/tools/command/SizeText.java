package io.cowfs.tools.command;

import io.cowfs.core.dataset.ByteSize;
import java.util.Locale;

/** Sizes as people write and read them: powers of 1,024 with one letter. */
final class SizeText {
  private static final String UNITS = "KMGTPE";

  private SizeText() {}

  /**
   * Reads sizes such as {@code 4096}, {@code 512M}, {@code 1.5T} and {@code 10GiB}.
   *
   * @return bytes, more than zero
   * @throws IllegalArgumentException with one line for the user
   */
  static long parse(String text) {
    return ByteSize.parse(text);
  }

  /** Three significant digits or so, never rounded to four: 0B, 17B, 1.50K, 12.0M, 345G. */
  static String human(long bytes) {
    if (bytes < 1024) {
      return bytes + "B";
    }
    double value = bytes;
    int unit = -1;
    while (value >= 999.5 && unit < UNITS.length() - 1) {
      value /= 1024;
      unit++;
    }
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    return String.format(Locale.ROOT, "%." + decimals + "f", value) + UNITS.charAt(unit);
  }
}
