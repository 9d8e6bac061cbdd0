package io.cowfs.tools.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class SizeTextTest {
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
