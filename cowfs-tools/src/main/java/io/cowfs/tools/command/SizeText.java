package io.cowfs.tools.command;

import java.math.BigDecimal;
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
    String s = text.trim().toUpperCase(Locale.ROOT);
    if (s.endsWith("IB")) {
      s = s.substring(0, s.length() - 2);
    } else if (s.endsWith("B")) {
      s = s.substring(0, s.length() - 1);
    }
    int unit = s.isEmpty() ? -1 : UNITS.indexOf(s.charAt(s.length() - 1));
    String number = unit < 0 ? s : s.substring(0, s.length() - 1);
    if (!number.matches("[0-9]{1,19}([.][0-9]{1,6})?")) {
      throw new IllegalArgumentException("'" + text + "' is no size: use for example 500M or 2T");
    }
    BigDecimal bytes = new BigDecimal(number).multiply(BigDecimal.valueOf(1L << (10 * (unit + 1))));
    if (bytes.compareTo(BigDecimal.ONE) < 0
        || bytes.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
      throw new IllegalArgumentException("the size '" + text + "' is out of range");
    }
    return bytes.longValue();
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
