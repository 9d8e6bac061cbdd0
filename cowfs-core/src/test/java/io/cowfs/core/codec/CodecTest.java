package io.cowfs.core.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class CodecTest {
  private static final byte[] DIGITS = "123456789".getBytes(StandardCharsets.US_ASCII);

  @Test
  void crc32cIsTheKnownOne() {
    assertEquals(0xe3069283L, ChecksumAlgorithm.CRC32C.of(DIGITS));
  }

  @Test
  void xxh3IsTheKnownOne() {
    assertEquals(0x2d06800538d394c2L, ChecksumAlgorithm.XXH3_64.of(new byte[0]));
  }

  @ParameterizedTest
  @EnumSource(ChecksumAlgorithm.class)
  void allFormsOfAChecksumAgree(ChecksumAlgorithm algorithm) throws Exception {
    Random random = new Random(5);
    for (int length : new int[] {0, 1, 7, 16, 100, 239, 241, 1023, 4096, 100_000}) {
      byte[] bytes = new byte[length + 10];
      random.nextBytes(bytes);
      long expected = algorithm.of(bytes, 3, length);
      ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
      assertEquals(expected, algorithm.of(direct, 3, length));
      assertEquals(expected, algorithm.of(ByteBuffer.wrap(bytes), 3, length));
      assertEquals(0, direct.position());
    }
    assertEquals(algorithm, ChecksumAlgorithm.byId(algorithm.id()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "lz4", "zstd-1", "zstd-3", "zstd-19"})
  void compressesAndBack(String name) throws Exception {
    CompressionSetting setting = CompressionSetting.parse(name);
    assertEquals(name, setting.toString());
    Random random = new Random(6);
    for (int length : new int[] {1, 100, 4096, 16_384, 131_072}) {
      byte[] bytes = new byte[length];
      for (int i = 0; i < length; i++) {
        bytes[i] = (byte) (random.nextInt(4) * (i / 100));
      }
      roundTrip(setting, bytes);
      random.nextBytes(bytes);
      roundTrip(setting, bytes);
    }
  }

  private static void roundTrip(CompressionSetting setting, byte[] bytes) throws Exception {
    Compression compression = setting.compression();
    int room = compression.maxCompressedBytes(bytes.length);
    ByteBuffer heapSource = ByteBuffer.wrap(bytes);
    ByteBuffer directSource = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    for (ByteBuffer source : new ByteBuffer[] {heapSource, directSource}) {
      for (ByteBuffer packed :
          new ByteBuffer[] {ByteBuffer.allocate(room), ByteBuffer.allocateDirect(room)}) {
        int stored = compression.compress(source, packed, setting.level());
        ByteBuffer stream = packed.slice(0, stored);
        byte[] heap = new byte[bytes.length];
        compression.decompress(stream, ByteBuffer.wrap(heap));
        assertArrayEquals(bytes, heap);
        ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length);
        compression.decompress(stream, direct);
        assertEquals(ByteBuffer.wrap(bytes), direct);
        assertThrows(
            MalformedDataException.class,
            () -> compression.decompress(stream, ByteBuffer.allocate(bytes.length + 1)));
        assertThrows(
            MalformedDataException.class,
            () -> compression.decompress(stream, ByteBuffer.allocate(bytes.length - 1)));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Compression.class,
      names = {"LZ4", "ZSTD"})
  void damagedInputIsRefusedOrDecodedWithinItsBounds(Compression compression) {
    Random random = new Random(7);
    int refused = 0;
    for (int i = 0; i < 5_000; i++) {
      byte[] garbage = new byte[1 + random.nextInt(500)];
      random.nextBytes(garbage);
      try {
        compression.decompress(ByteBuffer.wrap(garbage), ByteBuffer.allocateDirect(4096));
      } catch (MalformedDataException e) {
        refused++;
      }
    }
    assertTrue(refused > 4_900, refused + " refused");
  }

  @Test
  void unknownIdsAreMalformed() {
    assertThrows(MalformedDataException.class, () -> Compression.byId(3));
    assertThrows(MalformedDataException.class, () -> Compression.byId(-1));
    assertThrows(MalformedDataException.class, () -> ChecksumAlgorithm.byId(0));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "LZ4", "gzip", "zstd-0", "zstd-20", "zstd-", "zstd-999", "lz4-1"})
  void wrongSettingsAreRefused(String text) {
    assertThrows(IllegalArgumentException.class, () -> CompressionSetting.parse(text));
  }

  @Test
  void sectorChecksumsFindTheSectorThatChanged() {
    ByteBuffer buffer = ByteBuffer.allocateDirect(10 * 4096);
    for (int i = 0; i < buffer.capacity(); i++) {
      buffer.put(i, (byte) (i * 31));
    }
    int[] checksums = new int[9];
    SectorChecksums.compute(buffer, 4096, 8, checksums, 1);
    assertEquals(-1, SectorChecksums.firstMismatch(buffer, 4096, 8, checksums, 1));
    buffer.put(6 * 4096 + 77, (byte) ~buffer.get(6 * 4096 + 77));
    assertEquals(5, SectorChecksums.firstMismatch(buffer, 4096, 8, checksums, 1));
  }
}
