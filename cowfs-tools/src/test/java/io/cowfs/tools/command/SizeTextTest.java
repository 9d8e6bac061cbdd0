package io.cowfs.tools.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class SizeTextTest {
  @Test
  void sizesAreReadInPowersOf1024() {
    assertEquals(1, SizeText.parse("1"));
    assertEquals(4096, SizeText.parse("4k"));
    assertEquals(512L << 20, SizeText.parse("512M"));
    assertEquals(10L << 30, SizeText.parse("10GiB"));
    assertEquals(3L << 29, SizeText.parse("1.5G"));
    assertEquals(2L << 40, SizeText.parse("2TB"));
    assertEquals(Long.MAX_VALUE, SizeText.parse("9223372036854775807"));
  }

  @Test
  void whatIsNoSizeIsRefused() {
    for (String text :
        List.of(
            "", "0", "-1", "G", "1X", "1.G", "1e9", "0.1", "8E", "99999999999999999999", "1 G")) {
      assertThrows(IllegalArgumentException.class, () -> SizeText.parse(text), text);
    }
  }

  @Test
  void sizesAreShownInThreeDigits() {
    assertEquals("0B", SizeText.human(0));
    assertEquals("1023B", SizeText.human(1023));
    assertEquals("1.00K", SizeText.human(1024));
    assertEquals("9.99K", SizeText.human(10225));
    assertEquals("10.0K", SizeText.human(10235));
    assertEquals("0.98M", SizeText.human(1000 * 1024));
    assertEquals("345G", SizeText.human(345L << 30));
    assertEquals("8.00E", SizeText.human(Long.MAX_VALUE));
  }
}
