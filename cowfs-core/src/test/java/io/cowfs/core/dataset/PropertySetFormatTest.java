package io.cowfs.core.dataset;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class PropertySetFormatTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  @Test
  void aSetIsReadBack() throws Exception {
    PropertySet set = sample();
    assertEquals(set, PropertySetFormat.decode(PropertySetFormat.encode(set)));
    assertEquals(0, PropertySetFormat.encode(PropertySet.EMPTY).length);
    assertEquals(PropertySet.EMPTY, PropertySetFormat.decode(new byte[0]));
  }

  @Test
  void theBytesAreAsTheFormatSays() throws Exception {
    PropertySet set =
        PropertySet.EMPTY.set(NodeKind.HEAD, "user:b", "ä").set(NodeKind.HEAD, "readonly", "on");
    byte[] expected = "\10\0\2\0readonlyon\6\0\2\0user:b\u00c3\u00a4".getBytes(ISO_8859_1);
    assertArrayEquals(expected, PropertySetFormat.encode(set));
  }

  @Test
  void aNameThatThisVersionDoesNotKnowIsKept() throws Exception {
    entry("someday", "x");
    PropertySet set = PropertySetFormat.decode(bytes.toByteArray());
    assertEquals(Optional.of("x"), set.get("someday"));
    assertArrayEquals(bytes.toByteArray(), PropertySetFormat.encode(set));
  }

  @Test
  void damageIsRefusedOrWouldBeWrittenTheSameWay() throws Exception {
    byte[] good = PropertySetFormat.encode(sample());
    long seed = System.nanoTime();
    Random random = new Random(seed);
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] bad = Arrays.copyOf(good, random.nextInt(good.length + 3));
      for (int flips = random.nextInt(3); flips >= 0 && bad.length > 0; flips--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
      }
      try {
        PropertySet read = PropertySetFormat.decode(bad);
        assertArrayEquals(bad, PropertySetFormat.encode(read), "seed " + seed);
        read.holds();
      } catch (BadRecordException e) {
        refused++;
      }
    }
    assertTrue(refused > 10_000, "only " + refused + " refused with seed " + seed);
  }

  @Test
  void whatIsCutInsideAnEntryIsRefused() throws Exception {
    entry("readonly", "on");
    for (int length = 1; length < bytes.size(); length++) {
      byte[] cut = Arrays.copyOf(bytes.toByteArray(), length);
      assertThrows(BadRecordException.class, () -> PropertySetFormat.decode(cut));
    }
  }

  @Test
  void namesThatAreThereTwiceOrOutOfOrderAreRefused() {
    entry("user:a", "1");
    entry("user:a", "1");
    assertRefused();
    bytes.reset();
    entry("user:b", "1");
    entry("user:a", "1");
    assertRefused();
  }

  @Test
  void namesAndValuesThatNobodyCouldSetAreRefused() {
    String[][] wrong = {
      {"", "x"},
      {"user:", "x"},
      {"user:.", "x"},
      {"a b", "x"},
      {"k".repeat(256), "x"},
      {"user:a", "x\n"},
      {"user:a", "x".repeat(1_025)},
      {"readonly", "maybe"},
      {"quota", "-1"},
      {"checkpoints", "1s"},
      {"snapshot.schedule", "hourly"},
      {"mountpoint", "relative"},
      {"cowfs:schedule", "sometimes"},
      {"hold:", "2026-11-24T10:15:00Z"},
      {"hold:x", "yesterday"},
      {"hold:x", ""},
    };
    for (String[] pair : wrong) {
      bytes.reset();
      entry(pair[0], pair[1]);
      assertRefused();
    }
  }

  @Test
  void whatIsNotUtf8IsRefused() {
    for (String text : new String[] {"\u00ff", "\u00c3", "\u00c0\u0080", "\u00ed\u00a0\u0080"}) {
      bytes.reset();
      entry("user:a".getBytes(UTF_8), text.getBytes(ISO_8859_1));
      assertRefused();
    }
  }

  @Test
  void moreThanTheBoundsIsRefused() throws Exception {
    for (int i = 0; i < PropertySet.MAX_ENTRIES; i++) {
      entry("user:" + (1_000 + i), "");
    }
    PropertySetFormat.decode(bytes.toByteArray());
    entry("user:z", "");
    assertRefused();
    bytes.reset();
    for (int i = 0; i < 64; i++) {
      entry("user:" + (10 + i), "v".repeat(1_014));
    }
    assertRefused();
  }

  private static PropertySet sample() throws DatasetException {
    return PropertySet.EMPTY
        .set(NodeKind.HEAD, "quota", "10G")
        .set(NodeKind.HEAD, "checkpoints", "5s:1m")
        .set(NodeKind.HEAD, "user:colour", "grün")
        .withHold("keep", Instant.parse("2026-11-24T10:15:00.123Z"))
        .withSchedulePeriod(SchedulePeriod.WEEKLY);
  }

  private void entry(String name, String value) {
    entry(name.getBytes(UTF_8), value.getBytes(UTF_8));
  }

  private void entry(byte[] name, byte[] value) {
    for (int length : new int[] {name.length, value.length}) {
      bytes.write(length);
      bytes.write(length >> 8);
    }
    bytes.writeBytes(name);
    bytes.writeBytes(value);
  }

  private void assertRefused() {
    assertThrows(BadRecordException.class, () -> PropertySetFormat.decode(bytes.toByteArray()));
  }
}
