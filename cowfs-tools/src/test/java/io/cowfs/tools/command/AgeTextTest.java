package io.cowfs.tools.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class AgeTextTest {
  @Test
  void unitsAddUp() {
    assertEquals(Duration.ofSeconds(90), AgeText.parse("90s"));
    assertEquals(Duration.ofMinutes(5), AgeText.parse("5m"));
    assertEquals(Duration.ofMinutes(90), AgeText.parse("1h30m"));
    assertEquals(Duration.ofDays(2), AgeText.parse("2d"));
    assertEquals(Duration.ofDays(21).plusSeconds(1), AgeText.parse("3w1s"));
    assertEquals(Duration.ZERO, AgeText.parse("0s"));
    assertEquals(Duration.ofDays(7L * 999_999_999), AgeText.parse("999999999w"));
  }

  @Test
  void anythingElseIsRefusedByName() {
    for (String text :
        List.of("", "5", "m", "5 m", " 5m", "5m ", "-5m", "1.5h", "5M", "5min", "9999999999s")) {
      Exception refusal =
          assertThrows(IllegalArgumentException.class, () -> AgeText.parse(text), text);
      assertTrue(refusal.getMessage().startsWith("'" + text + "' is no age"), text);
    }
  }
}
