package io.cowfs.core.dataset;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The properties of a node, cut into pieces that share a page of the index or a tree node. */
final class PropertyChunks {
  private PropertyChunks() {}

  /** None for the empty set. */
  static List<byte[]> split(PropertySet properties) {
    byte[] encoded = PropertySetFormat.encode(properties);
    List<byte[]> chunks = new ArrayList<>();
    for (int from = 0; from < encoded.length; from += CatalogFormat.PROPERTY_CHUNK_BYTES) {
      int to = Math.min(encoded.length, from + CatalogFormat.PROPERTY_CHUNK_BYTES);
      chunks.add(Arrays.copyOfRange(encoded, from, to));
    }
    return chunks;
  }
}
