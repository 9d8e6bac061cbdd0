package io.cowfs.tools.command;

import io.cowfs.core.pool.SpaceReport;
import io.cowfs.core.pool.SpaceReport.SnapshotSpace;
import io.cowfs.tools.command.TextTable.Align;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.function.LongFunction;

/** The layouts of {@code cowfs space}. */
final class SpaceListing {
  /** Which lines there are beside those of the dataset and its snapshots. */
  enum Checkpoints {
    COUNTED,
    SHOWN
  }

  private final SpaceReport report;

  SpaceListing(SpaceReport report) {
    this.report = report;
  }

  /** For people. */
  void print(LongFunction<String> size, Checkpoints checkpoints, PrintWriter out) {
    TextTable table =
        new TextTable()
            .column("NAME", Align.LEFT)
            .column("REFER", Align.RIGHT)
            .column("UNIQUE", Align.RIGHT);
    table.row(
        report.dataset(), size.apply(report.liveBytes()), size.apply(report.liveUniqueBytes()));
    int hidden = 0;
    for (SnapshotSpace snapshot : report.snapshots()) {
      if (snapshot.checkpoint() && checkpoints == Checkpoints.COUNTED) {
        hidden++;
        continue;
      }
      table.row(
          report.dataset() + "@" + snapshot.name(),
          size.apply(snapshot.referencedBytes()),
          size.apply(snapshot.uniqueBytes()));
    }
    table.print(out);
    if (hidden > 0) {
      out.println(
          "and %d %s, listed with -c"
              .formatted(hidden, hidden == 1 ? "checkpoint" : "checkpoints"));
    }
    out.println("shared by two or more of these: " + size.apply(report.sharedBytes()));
    if (report.originBytes() > 0) {
      out.println("from the snapshot it was cloned from: " + size.apply(report.originBytes()));
    }
    out.println();
    printPool(size, out);
  }

  private void printPool(LongFunction<String> size, PrintWriter out) {
    TextTable table = new TextTable().column("IN THE POOL", Align.LEFT).column("SIZE", Align.RIGHT);
    table.row("datasets and snapshots", size.apply(report.referencedBytes()));
    if (report.savedBytes() > 0) {
      table.row("less cloned ranges", size.apply(report.savedBytes()));
    }
    table.row("directory of datasets", size.apply(report.directoryBytes()));
    table.row("being destroyed", size.apply(report.destroyingBytes()));
    table.row("pending frees", size.apply(report.pendingBytes()));
    table.row("sum = allocated", size.apply(report.poolBytes()));
    table.row("free", size.apply(report.freeBytes()));
    table.row("of that reserve", size.apply(report.reserveBytes()));
    table.print(out);
  }

  /** One JSON object (RFC 8259); sizes in bytes. */
  void printJson(Path pool, PrintWriter out) {
    out.print(
        "{\"pool\": %s, \"dataset\": %s, \"live\": %d, \"unique\": %d, \"shared\": %d, \"origin\": %d,\n"
            .formatted(
                JsonText.quote(pool.toString()),
                JsonText.quote(report.dataset()),
                report.liveBytes(),
                report.liveUniqueBytes(),
                report.sharedBytes(),
                report.originBytes()));
    out.print(" \"snapshots\": [");
    String separator = "\n  ";
    for (SnapshotSpace snapshot : report.snapshots()) {
      out.print(
          "%s{\"name\": %s, \"checkpoint\": %b, \"referenced\": %d, \"unique\": %d}"
              .formatted(
                  separator,
                  JsonText.quote(report.dataset() + "@" + snapshot.name()),
                  snapshot.checkpoint(),
                  snapshot.referencedBytes(),
                  snapshot.uniqueBytes()));
      separator = ",\n  ";
    }
    out.print(
        "\n ],\n \"referenced\": %d, \"saved\": %d, \"directory\": %d, \"destroying\": %d, \"pending\": %d,"
            .formatted(
                report.referencedBytes(),
                report.savedBytes(),
                report.directoryBytes(),
                report.destroyingBytes(),
                report.pendingBytes()));
    out.println(
        " \"allocated\": %d, \"free\": %d, \"reserve\": %d}"
            .formatted(report.poolBytes(), report.freeBytes(), report.reserveBytes()));
  }
}
