package io.cowfs.core.dataset;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * The keys of the index, which are big-endian so that their byte order is their order, and the seal
 * that ends every value: the CRC32C of key and content, little-endian.
 */
final class CatalogFormat {
  /** Keys of the database {@code pool}. */
  static final int POOL_KEY_ID = 0;

  static final int POOL_KEY_BYTES = POOL_KEY_ID + Integer.BYTES;

  /** In the database {@code pool}, beside the pool record with the id 0. */
  static final int SCRUB_ID = 1;

  static final int FIRST_SCRUB_FINDING_ID = 2;

  /** Of the members of a mirror. Beyond the findings, of which there are few. */
  static final int MEMBERS_ID = Integer.MAX_VALUE;

  /** Keys of the database {@code nodes}. */
  static final int NODE_KEY_ID = 0;

  static final int NODE_KEY_BYTES = NODE_KEY_ID + Integer.BYTES;

  /** Keys of the database {@code space}. */
  static final int SPACE_KEY_REGION = 0;

  static final int SPACE_KEY_BYTES = SPACE_KEY_REGION + Integer.BYTES;

  /** Keys of the database {@code deferred}. */
  static final int DEFERRED_KEY_TXG = 0;

  static final int DEFERRED_KEY_CHUNK = DEFERRED_KEY_TXG + Long.BYTES;
  static final int DEFERRED_KEY_BYTES = DEFERRED_KEY_CHUNK + Integer.BYTES;

  /** Keys of the database {@code deadlists}. */
  static final int DEADLIST_KEY_ID = 0;

  static final int DEADLIST_KEY_BORN_AFTER = DEADLIST_KEY_ID + Long.BYTES;
  static final int DEADLIST_KEY_LIST = DEADLIST_KEY_BORN_AFTER + Long.BYTES;
  static final int DEADLIST_KEY_BYTES = DEADLIST_KEY_LIST + Long.BYTES;

  /** Keys of the database {@code references}. */
  static final int REFERENCE_KEY_LIST = 0;

  static final int REFERENCE_KEY_TXG = REFERENCE_KEY_LIST + Long.BYTES;
  static final int REFERENCE_KEY_CHUNK = REFERENCE_KEY_TXG + Long.BYTES;
  static final int REFERENCE_KEY_BYTES = REFERENCE_KEY_CHUNK + Integer.BYTES;

  /** Keys of the database {@code condemned}. */
  static final int CONDEMNED_KEY_ID = 0;

  static final int CONDEMNED_KEY_BYTES = CONDEMNED_KEY_ID + Long.BYTES;

  /** Keys of the database {@code shared}. */
  static final int SHARED_KEY_SECTOR = 0;

  static final int SHARED_KEY_BYTES = SHARED_KEY_SECTOR + Long.BYTES;

  /** Keys of the database {@code properties}. */
  static final int PROPERTY_KEY_NODE = 0;

  static final int PROPERTY_KEY_CHUNK = PROPERTY_KEY_NODE + Integer.BYTES;
  static final int PROPERTY_KEY_BYTES = PROPERTY_KEY_CHUNK + Integer.BYTES;

  /** The seal at the end of each value. */
  static final int SEAL_BYTES = Integer.BYTES;

  /** The most bytes of content in a chunk of deferred frees. */
  static final int DEFERRED_CHUNK_BYTES = 1920;

  /** The most bytes of a finding of a scrub. */
  static final int SCRUB_FINDING_BYTES = 1920;

  /** The most bytes of content in a chunk of properties. */
  static final int PROPERTY_CHUNK_BYTES = 1920;

  private CatalogFormat() {}

  static byte[] poolKey() {
    return new byte[POOL_KEY_BYTES];
  }

  static byte[] scrubKey() {
    return ByteBuffer.allocate(POOL_KEY_BYTES).putInt(POOL_KEY_ID, SCRUB_ID).array();
  }

  static byte[] scrubFindingKey(int finding) {
    return ByteBuffer.allocate(POOL_KEY_BYTES)
        .putInt(POOL_KEY_ID, FIRST_SCRUB_FINDING_ID + finding)
        .array();
  }

  static byte[] membersKey() {
    return ByteBuffer.allocate(POOL_KEY_BYTES).putInt(POOL_KEY_ID, MEMBERS_ID).array();
  }

  static byte[] nodeKey(int node) {
    return ByteBuffer.allocate(NODE_KEY_BYTES).putInt(NODE_KEY_ID, node).array();
  }

  static byte[] spaceKey(int region) {
    return ByteBuffer.allocate(SPACE_KEY_BYTES).putInt(SPACE_KEY_REGION, region).array();
  }

  static byte[] deferredKey(long txg, int chunk) {
    return ByteBuffer.allocate(DEFERRED_KEY_BYTES)
        .putLong(DEFERRED_KEY_TXG, txg)
        .putInt(DEFERRED_KEY_CHUNK, chunk)
        .array();
  }

  static byte[] deadlistKey(long deadlist, long bornAfter, long list) {
    return ByteBuffer.allocate(DEADLIST_KEY_BYTES)
        .putLong(DEADLIST_KEY_ID, deadlist)
        .putLong(DEADLIST_KEY_BORN_AFTER, bornAfter)
        .putLong(DEADLIST_KEY_LIST, list)
        .array();
  }

  static byte[] referenceKey(long list, long txg, int chunk) {
    return ByteBuffer.allocate(REFERENCE_KEY_BYTES)
        .putLong(REFERENCE_KEY_LIST, list)
        .putLong(REFERENCE_KEY_TXG, txg)
        .putInt(REFERENCE_KEY_CHUNK, chunk)
        .array();
  }

  static byte[] condemnedKey(long id) {
    return ByteBuffer.allocate(CONDEMNED_KEY_BYTES).putLong(CONDEMNED_KEY_ID, id).array();
  }

  static byte[] sharedKey(long sector) {
    return ByteBuffer.allocate(SHARED_KEY_BYTES).putLong(SHARED_KEY_SECTOR, sector).array();
  }

  static byte[] propertyKey(int node, int chunk) {
    return ByteBuffer.allocate(PROPERTY_KEY_BYTES)
        .putInt(PROPERTY_KEY_NODE, node)
        .putInt(PROPERTY_KEY_CHUNK, chunk)
        .array();
  }

  /** The content with its seal behind it. */
  static byte[] seal(byte[] key, byte[] content) {
    return ByteBuffer.allocate(content.length + SEAL_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(content)
        .putInt(crc(key, content, content.length))
        .array();
  }

  /**
   * The content of a sealed value.
   *
   * @throws BadRecordException when the seal does not match; the caller names the file
   */
  static byte[] unseal(byte[] key, byte[] value) throws BadRecordException {
    int contentBytes = value.length - SEAL_BYTES;
    if (contentBytes < 0) {
      throw new BadRecordException("a record is cut short");
    }
    ByteBuffer record = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    int expected = record.getInt(contentBytes);
    int actual = crc(key, value, contentBytes);
    if (expected != actual) {
      throw new BadRecordException(
          "a record does not match its checksum (%08x, not %08x)".formatted(actual, expected));
    }
    byte[] content = new byte[contentBytes];
    record.get(0, content);
    return content;
  }

  /** A finding of a scrub as it is stored, in UTF-8, cut where it is too long. */
  static byte[] findingText(String finding) {
    byte[] text = finding.getBytes(StandardCharsets.UTF_8);
    int end = Math.min(text.length, SCRUB_FINDING_BYTES);
    while (end < text.length && (text[end] & 0xC0) == 0x80) {
      end--;
    }
    return Arrays.copyOf(text, end);
  }

  private static int crc(byte[] key, byte[] content, int contentBytes) {
    CRC32C crc = new CRC32C();
    crc.update(key);
    crc.update(content, 0, contentBytes);
    return (int) crc.getValue();
  }
}
