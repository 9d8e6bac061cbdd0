package io.cowfs.core.codec;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How to compress new extents.
 *
 * @param level 1 to 19 for zstd, else 0
 */
public record CompressionSetting(Compression compression, int level) {
  public static final CompressionSetting NONE = new CompressionSetting(Compression.NONE, 0);
  public static final CompressionSetting LZ4 = new CompressionSetting(Compression.LZ4, 0);

  private static final int ZSTD_DEFAULT_LEVEL = 3;
  private static final int ZSTD_MAX_LEVEL = 19;
  private static final Pattern ZSTD = Pattern.compile("zstd(?:-([0-9]{1,2}))?");

  /** Rejects levels that the algorithm does not have. */
  public CompressionSetting {
    boolean valid =
        compression == Compression.ZSTD ? level >= 1 && level <= ZSTD_MAX_LEVEL : level == 0;
    if (!valid) {
      throw new IllegalArgumentException(
          compression.name().toLowerCase(Locale.ROOT) + " has no level " + level);
    }
  }

  /**
   * Reads "none", "lz4", "zstd" or "zstd-LEVEL".
   *
   * @throws IllegalArgumentException with a message for the user
   */
  public static CompressionSetting parse(String text) {
    if (text.equals("none")) {
      return NONE;
    }
    if (text.equals("lz4")) {
      return LZ4;
    }
    Matcher matcher = ZSTD.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "unknown compression '" + text + "': use none, lz4, zstd or zstd-1 to zstd-19");
    }
    String level = matcher.group(1);
    return new CompressionSetting(
        Compression.ZSTD, level == null ? ZSTD_DEFAULT_LEVEL : Integer.parseInt(level));
  }

  /** The form that {@link #parse} reads. */
  @Override
  public String toString() {
    String name = compression.name().toLowerCase(Locale.ROOT);
    return compression == Compression.ZSTD ? name + "-" + level : name;
  }
}
