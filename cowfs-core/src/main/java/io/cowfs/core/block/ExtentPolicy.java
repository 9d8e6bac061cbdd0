package io.cowfs.core.block;

import io.cowfs.core.codec.CompressionSetting;

/**
 * How file data is stored.
 *
 * @param compression what is tried
 * @param copies how often, 1 to {@link Reference#PLACES_MAX}
 */
public record ExtentPolicy(CompressionSetting compression, int copies) {
  public ExtentPolicy {
    if (copies < 1 || copies > Reference.PLACES_MAX) {
      throw new IllegalArgumentException(copies + " copies");
    }
  }
}
