package io.cowfs.core.dataset;

import java.math.BigDecimal;
import java.util.Locale;

/** Sizes as people write them: powers of 1,024 with one letter. */
public final class ByteSize {
  private static final String UNITS = "KMGTPE";
  private static final int UNIT_BITS = 10;

  private ByteSize() {}

  /**
   * Reads sizes such as {@code 4096}, {@code 512M}, {@code 1.5T} and {@code 10GiB}.
   *
   * @return bytes, more than zero
   * @throws IllegalArgumentException with one line for the user
   */
  public static long parse(String text) {
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
    BigDecimal bytes =
        new BigDecimal(number).multiply(BigDecimal.valueOf(1L << (UNIT_BITS * (unit + 1))));
    if (bytes.compareTo(BigDecimal.ONE) < 0
        || bytes.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
      throw new IllegalArgumentException("the size '" + text + "' is out of range");
    }
    return bytes.longValue();
  }

  /** The shortest text that {@link #parse} reads as exactly so many bytes, without a point. */
  static String exact(long bytes) {
    int unit = Math.min(Long.numberOfTrailingZeros(bytes) / UNIT_BITS, UNITS.length());
    return (bytes >> (UNIT_BITS * unit)) + (unit == 0 ? "" : UNITS.substring(unit - 1, unit));
  }
}
