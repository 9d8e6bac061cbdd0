package io.cowfs.core.dataset;

import java.time.DayOfWeek;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.time.temporal.IsoFields;
import java.time.temporal.TemporalAdjusters;
import java.util.Locale;
import java.util.Optional;

/**
 * How often an automatic snapshot is taken. Periods begin on the boundaries of the calendar in UTC,
 * which has no daylight saving time, so each instant is in one period and each period has one name.
 */
public enum SchedulePeriod {
  MINUTELY(ChronoUnit.MINUTES),
  HOURLY(ChronoUnit.HOURS),
  DAILY(ChronoUnit.DAYS),
  /** From Monday to Sunday, as in ISO 8601. */
  WEEKLY(ChronoUnit.WEEKS),
  MONTHLY(ChronoUnit.MONTHS),
  YEARLY(ChronoUnit.YEARS);

  private final ChronoUnit unit;

  SchedulePeriod(ChronoUnit unit) {
    this.unit = unit;
  }

  /** As in a schedule and in the names of snapshots: "hourly". */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The period with this {@link #text}. */
  public static Optional<SchedulePeriod> find(String text) {
    for (SchedulePeriod period : values()) {
      if (period.text().equals(text)) {
        return Optional.of(period);
      }
    }
    return Optional.empty();
  }

  /** When the period that {@code time} is in began. */
  public Instant start(Instant time) {
    return startUtc(time).toInstant(ZoneOffset.UTC);
  }

  /** When the period after the one that {@code time} is in begins. */
  public Instant next(Instant time) {
    return startUtc(time).plus(1, unit).toInstant(ZoneOffset.UTC);
  }

  /**
   * What the names of all automatic snapshots of this period begin with: "auto-hourly-". A snapshot
   * with another name was renamed by the user and is no longer automatic.
   */
  String namePrefix() {
    return "auto-" + text() + "-";
  }

  /**
   * The name of the automatic snapshot of the period that {@code time} is in: {@code
   * auto-hourly-20261124-1000}, {@code auto-daily-20261124}, {@code auto-weekly-2026-w48}, {@code
   * auto-monthly-202611}, {@code auto-yearly-2026}.
   */
  String snapshotName(Instant time) {
    LocalDateTime start = startUtc(time);
    String year = "%04d".formatted(start.getYear());
    String month = "%02d".formatted(start.getMonthValue());
    String day = "%02d".formatted(start.getDayOfMonth());
    return namePrefix()
        + switch (this) {
          case MINUTELY, HOURLY ->
              "%s%s%s-%02d%02d".formatted(year, month, day, start.getHour(), start.getMinute());
          case DAILY -> year + month + day;
          case WEEKLY ->
              "%04d-w%02d"
                  .formatted(
                      start.get(IsoFields.WEEK_BASED_YEAR),
                      start.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR));
          case MONTHLY -> year + month;
          case YEARLY -> year;
        };
  }

  private LocalDateTime startUtc(Instant time) {
    LocalDateTime utc = LocalDateTime.ofInstant(time, ZoneOffset.UTC);
    return switch (this) {
      case MINUTELY, HOURLY, DAILY -> utc.truncatedTo(unit);
      case WEEKLY ->
          utc.truncatedTo(ChronoUnit.DAYS).with(TemporalAdjusters.previousOrSame(DayOfWeek.MONDAY));
      case MONTHLY -> utc.truncatedTo(ChronoUnit.DAYS).withDayOfMonth(1);
      case YEARLY -> utc.truncatedTo(ChronoUnit.DAYS).withDayOfYear(1);
    };
  }
}
