package io.cowfs.tools.command;

import io.cowfs.core.scrub.ScrubStatus;
import io.cowfs.core.scrub.ScrubStatus.State;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/** The state of a scrub as people and programs read it. */
final class ScrubText {
  /** The longest line of {@link #bar}. */
  static final int BAR_LINE_COLUMNS = 78;

  private static final int BAR_COLUMNS = 20;

  private ScrubText() {}

  /** One line for the status of a pool. */
  static String summary(ScrubStatus status) {
    String errors = errors(status.errors());
    return switch (status.state()) {
      case NEVER -> "never";
      case RUNNING ->
          "running since %s, %d %%, %s".formatted(time(status.started()), percent(status), errors);
      case WAITING -> "interrupted at %d %%, %s".formatted(percent(status), errors);
      case PAUSED -> "paused at %d %%, %s".formatted(percent(status), errors);
      case FINISHED -> "finished %s, %s".formatted(time(status.ended()), errors);
    };
  }

  static String errors(long errors) {
    return errors == 0 ? "no errors" : errors == 1 ? "1 error" : errors + " errors";
  }

  /** Everything, each finding in a line of its own. */
  static void print(ScrubStatus status, PrintWriter out) {
    line(out, "scrub", state(status));
    if (status.state() == State.NEVER) {
      return;
    }
    line(out, "started", time(status.started()));
    status.ended().ifPresent(ended -> line(out, "finished", TimeText.local(ended)));
    line(out, "at work", clock(status.active()));
    String read = SizeText.human(status.readBytes());
    line(
        out,
        "read",
        status.state() == State.FINISHED
            ? read
            : "%s of %s (%d %%)"
                .formatted(read, SizeText.human(status.totalBytes()), percent(status)));
    line(out, "rate", SizeText.human(status.bytesPerSecond()) + "/s");
    status.left().ifPresent(left -> line(out, "left", clock(left)));
    line(out, "errors", Long.toString(status.errors()));
    if (status.repairedBytes() > 0) {
      line(out, "repaired", SizeText.human(status.repairedBytes()));
    }
    status.findings().forEach(finding -> out.println(ErrorLine.oneLine(finding)));
  }

  private static String state(ScrubStatus status) {
    return switch (status.state()) {
      case WAITING -> "interrupted: goes on when the pool is mounted";
      case PAUSED -> "paused: --resume lets it go on";
      default -> name(status);
    };
  }

  private static String name(ScrubStatus status) {
    return status.state().name().toLowerCase(Locale.ROOT);
  }

  /** How far it is, for a terminal. */
  static String bar(ScrubStatus status) {
    int done = percent(status) * BAR_COLUMNS / 100;
    String text =
        "[%s%s] %3d %%  %s of %s  %s/s  %s left  %s"
            .formatted(
                "=".repeat(done),
                " ".repeat(BAR_COLUMNS - done),
                percent(status),
                SizeText.human(status.readBytes()),
                SizeText.human(status.totalBytes()),
                SizeText.human(status.bytesPerSecond()),
                status.left().map(ScrubText::clock).orElse("-"),
                errors(status.errors()));
    return "%-78.78s".formatted(text);
  }

  static void printJson(Path pool, ScrubStatus status, PrintWriter out) {
    out.print(
        ("{\"pool\": %s, \"state\": \"%s\", \"started\": %s, \"ended\": %s,"
                + " \"activeSeconds\": %d,%n \"readBytes\": %d, \"totalBytes\": %d,"
                + " \"bytesPerSecond\": %d, \"secondsLeft\": %s,%n"
                + " \"errors\": %d, \"repairedBytes\": %d, \"findings\": [")
            .formatted(
                JsonText.quote(pool.toString()),
                status.state() == State.WAITING ? "interrupted" : name(status),
                seconds(status.started()),
                seconds(status.ended()),
                status.active().toSeconds(),
                status.readBytes(),
                status.totalBytes(),
                status.bytesPerSecond(),
                status.left().map(left -> Long.toString(left.toSeconds())).orElse("null"),
                status.errors(),
                status.repairedBytes()));
    String separator = "\n  ";
    for (String finding : status.findings()) {
      out.print(separator + JsonText.quote(finding));
      separator = ",\n  ";
    }
    out.println(status.findings().isEmpty() ? "]}" : "\n]}");
  }

  private static String seconds(Optional<Instant> time) {
    return time.map(at -> Long.toString(at.getEpochSecond())).orElse("null");
  }

  /** Rounded down, and not 100 before the end. */
  private static int percent(ScrubStatus status) {
    if (status.state() == State.FINISHED) {
      return 100;
    }
    double part = (double) status.readBytes() / Math.max(1, status.totalBytes());
    return (int) Math.min(99, part * 100);
  }

  private static String time(Optional<Instant> time) {
    return time.map(TimeText::local).orElse("-");
  }

  private static String clock(Duration duration) {
    return "%d:%02d:%02d"
        .formatted(duration.toHours(), duration.toMinutesPart(), duration.toSecondsPart());
  }

  private static void line(PrintWriter out, String key, String value) {
    out.printf("%-12s%s%n", key + ":", value);
  }
}
