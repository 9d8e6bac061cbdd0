package io.cowfs.tools.command;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Ages as people write them: numbers with a letter for the unit, such as {@code 1h30m}. */
final class AgeText {
  private static final Pattern PART = Pattern.compile("([0-9]{1,9})([smhdw])");

  private AgeText() {}

  /**
   * Reads an age such as {@code 90s}, {@code 5m}, {@code 1h30m}, {@code 2d} and {@code 1w}.
   *
   * @throws IllegalArgumentException with one line for the user
   */
  static Duration parse(String text) {
    Duration age = Duration.ZERO;
    Matcher part = PART.matcher(text);
    int end = 0;
    while (end < text.length() && part.find(end) && part.start() == end) {
      age = age.plusSeconds(Long.parseLong(part.group(1)) * secondsOf(part.group(2)));
      end = part.end();
    }
    if (end < text.length() || end == 0) {
      throw new IllegalArgumentException(
          "'" + text + "' is no age: use for example 90s, 5m, 1h30m, 2d or 1w");
    }
    return age;
  }

  private static long secondsOf(String unit) {
    return switch (unit) {
      case "s" -> 1;
      case "m" -> 60;
      case "h" -> 3600;
      case "d" -> 86_400;
      default -> 604_800;
    };
  }
}
