package io.cowfs.tools.command;

import io.cowfs.core.pool.DefragmentationReport;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** What a defragmentation did, as people and programs read it. */
final class DefragText {
  /** The longest line of {@link #bar}. */
  static final int BAR_LINE_COLUMNS = 78;

  private static final int BAR_COLUMNS = 20;
  private static final int PERCENT = 100;

  private DefragText() {}

  /** How far it is, for a terminal. */
  static String bar(DefragmentationReport soFar, double part) {
    int percent = (int) Math.min(PERCENT - 1, part * PERCENT);
    int done = percent * BAR_COLUMNS / PERCENT;
    String text =
        "[%s%s] %3d %%  %d files seen  %d improved  %s moved"
            .formatted(
                "=".repeat(done),
                " ".repeat(BAR_COLUMNS - done),
                percent,
                soFar.before().files(),
                soFar.movedFiles(),
                SizeText.human(soFar.movedBytes()));
    return "%-78.78s".formatted(text);
  }

  static void print(DefragmentationReport report, PrintWriter out) {
    line(
        out,
        "files",
        "%d, of which %d had something moved"
            .formatted(report.before().files(), report.movedFiles()));
    line(out, "extents", change(report.before().extents(), report.after().extents()));
    line(out, "runs", change(report.before().runs(), report.after().runs()));
    line(out, "moved", SizeText.human(report.movedBytes()));
    if (report.consolidatedBytes() > 0) {
      line(
          out,
          "free space",
          "%s moved for %s in long runs"
              .formatted(
                  SizeText.human(report.consolidatedBytes()),
                  SizeText.human(report.gainedBytes())));
    }
    left(out, report.sharedBytes(), "shared with snapshots, clones or other ranges");
    left(out, report.changedBytes(), "written to meanwhile");
    left(out, report.stuckBytes(), "for want of long runs of free space");
    if (!report.skipped().isEmpty()) {
      line(out, "read-only", String.join(", ", report.skipped()));
    }
    report.damage().forEach(each -> out.println(ErrorLine.oneLine(each)));
  }

  private static String change(long before, long after) {
    return before == after ? Long.toString(before) : before + " -> " + after;
  }

  private static void left(PrintWriter out, long bytes, String why) {
    if (bytes > 0) {
      line(out, "left", SizeText.human(bytes) + " " + why);
    }
  }

  private static void line(PrintWriter out, String key, String value) {
    out.printf("%-12s%s%n", key + ":", value);
  }

  /** One JSON object (RFC 8259); sizes in bytes. */
  static void printJson(Path pool, String dataset, DefragmentationReport report, PrintWriter out) {
    out.println(
        ("{\"pool\": %s, \"dataset\": %s, \"ending\": \"%s\", \"files\": %d, \"movedFiles\": %d,%n"
                + " \"extentsBefore\": %d, \"extentsAfter\": %d, \"runsBefore\": %d,"
                + " \"runsAfter\": %d,%n"
                + " \"movedBytes\": %d, \"sharedBytes\": %d, \"changedBytes\": %d,"
                + " \"stuckBytes\": %d, \"consolidatedBytes\": %d, \"gainedBytes\": %d,%n"
                + " \"readOnly\": %s, \"damage\": %s}")
            .formatted(
                JsonText.quote(pool.toString()),
                dataset == null ? "null" : JsonText.quote(dataset),
                report.ending().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                report.before().files(),
                report.movedFiles(),
                report.before().extents(),
                report.after().extents(),
                report.before().runs(),
                report.after().runs(),
                report.movedBytes(),
                report.sharedBytes(),
                report.changedBytes(),
                report.stuckBytes(),
                report.consolidatedBytes(),
                report.gainedBytes(),
                list(report.skipped()),
                list(report.damage())));
  }

  private static String list(List<String> texts) {
    return texts.stream().map(JsonText::quote).collect(Collectors.joining(", ", "[", "]"));
  }
}
