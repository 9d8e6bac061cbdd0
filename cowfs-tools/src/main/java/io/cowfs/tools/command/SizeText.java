package io.cowfs.tools.command;

import java.util.Locale;

/** Sizes as people read them: powers of 1,024 with one letter. */
final class SizeText {
  private static final String UNITS = "KMGTPE";

  private SizeText() {}

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
