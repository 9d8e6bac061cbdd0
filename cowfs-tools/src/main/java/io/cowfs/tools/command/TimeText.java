package io.cowfs.tools.command;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;

/** Times as people read them. */
final class TimeText {
  private TimeText() {}

  /** To the second, in the time zone of this process. */
  static String local(Instant instant) {
    // Cheaper at start-up than a DateTimeFormatter.
    LocalDateTime t = LocalDateTime.ofInstant(instant, ZoneId.systemDefault());
    return "%04d-%02d-%02d %02d:%02d:%02d"
        .formatted(
            t.getYear(),
            t.getMonthValue(),
            t.getDayOfMonth(),
            t.getHour(),
            t.getMinute(),
            t.getSecond());
  }
}
