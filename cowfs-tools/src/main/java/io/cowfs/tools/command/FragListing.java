package io.cowfs.tools.command;

import io.cowfs.core.fs.FileRuns;
import io.cowfs.core.pool.Fragmentation;
import io.cowfs.core.pool.Fragmentation.FragmentedFile;
import io.cowfs.core.pool.Fragmentation.FreeRunsOfSize;
import io.cowfs.core.pool.Fragmentation.FreeSpace;
import io.cowfs.core.pool.Fragmentation.Scope;
import io.cowfs.core.vfs.FileType;
import io.cowfs.tools.command.TextTable.Align;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongFunction;

/** The layouts of {@code cowfs frag}. */
final class FragListing {
  private static final int PERCENT = 100;

  private final Fragmentation report;

  FragListing(Fragmentation report) {
    this.report = report;
  }

  /**
   * For people.
   *
   * @param dataset null for all
   */
  void print(String dataset, LongFunction<String> size, PrintWriter out) {
    if (report.scope() == Scope.FILE) {
      printFiles(report.worst(), dataset, size, out);
      return;
    }
    FileRuns all = report.all();
    TextTable table = new TextTable().column("FILES", Align.RIGHT);
    addColumns(table);
    table.row(
        Long.toString(all.files()),
        size.apply(all.sizeBytes()),
        Long.toString(all.extents()),
        Long.toString(all.runs()),
        size.apply(all.meanRunBytes()),
        size.apply(all.largestBytes()));
    table.print(out);
    List<FragmentedFile> fragmented =
        report.worst().stream().filter(file -> file.runs().surplusRuns() > 0).toList();
    out.println();
    if (!fragmented.isEmpty()) {
      printFiles(fragmented, dataset, size, out);
      out.println();
    }
    printFree(size, out);
  }

  private static void addColumns(TextTable table) {
    table
        .column("SIZE", Align.RIGHT)
        .column("EXTENTS", Align.RIGHT)
        .column("RUNS", Align.RIGHT)
        .column("MEAN RUN", Align.RIGHT)
        .column("LARGEST", Align.RIGHT);
  }

  private static void printFiles(
      List<FragmentedFile> files, String dataset, LongFunction<String> size, PrintWriter out) {
    TextTable table = new TextTable().column("NAME", Align.LEFT);
    addColumns(table);
    table.column("OF SIZE", Align.RIGHT);
    for (FragmentedFile file : files) {
      FileRuns runs = file.runs();
      String name = ChangeListing.text(file.path(), FileType.REGULAR);
      table.row(
          dataset == null ? file.dataset() + ":/" + name : name,
          size.apply(runs.sizeBytes()),
          Long.toString(runs.extents()),
          Long.toString(runs.runs()),
          size.apply(runs.meanRunBytes()),
          size.apply(runs.largestBytes()),
          share(runs.largestDataBytes(), runs.sizeBytes()));
    }
    table.print(out);
  }

  /** Rounded down; data may reach behind the end of a file, to the end of its last sector. */
  private static String share(long part, long whole) {
    return whole == 0 ? "-" : (long) (PERCENT * Math.min(1.0, (double) part / whole)) + "%";
  }

  private void printFree(LongFunction<String> size, PrintWriter out) {
    FreeSpace free = report.free();
    TextTable table =
        new TextTable()
            .column("FREE RUNS OF", Align.RIGHT)
            .column("RUNS", Align.RIGHT)
            .column("SIZE", Align.RIGHT);
    for (FreeRunsOfSize runs : free.runs()) {
      table.row(
          size.apply(runs.fromBytes()) + "+", Long.toString(runs.runs()), size.apply(runs.bytes()));
    }
    table.print(out);
    out.println("largest: " + size.apply(free.largestBytes()));
    out.println(
        "behind all that is in use, as far as the pool may grow: "
            + size.apply(free.behindBytes()));
  }

  /** One JSON object (RFC 8259); sizes in bytes. */
  void printJson(Path pool, String dataset, PrintWriter out) {
    out.println(
        "{\"pool\": %s, \"dataset\": %s, \"files\": %d, %s,"
            .formatted(
                JsonText.quote(pool.toString()),
                dataset == null ? "null" : JsonText.quote(dataset),
                report.all().files(),
                numbers(report.all())));
    out.print(" \"worst\": [");
    String separator = "\n  ";
    for (FragmentedFile file : report.worst()) {
      StringBuilder line = new StringBuilder(separator);
      line.append("{\"dataset\": ").append(JsonText.quote(file.dataset())).append(", \"path\": ");
      ChangeListing.appendPath(line, "path", file.path());
      out.print(line.append(", ").append(numbers(file.runs())).append('}'));
      separator = ",\n  ";
    }
    FreeSpace free = report.free();
    out.print(
        "\n ],\n \"free\": {\"largestRun\": %d, \"behind\": %d, \"runs\": ["
            .formatted(free.largestBytes(), free.behindBytes()));
    separator = "\n  ";
    for (FreeRunsOfSize runs : free.runs()) {
      out.print(
          "%s{\"from\": %d, \"runs\": %d, \"size\": %d}"
              .formatted(separator, runs.fromBytes(), runs.runs(), runs.bytes()));
      separator = ",\n  ";
    }
    out.println("\n ]}}");
  }

  private static String numbers(FileRuns runs) {
    return ("\"size\": %d, \"extents\": %d, \"runs\": %d, \"stored\": %d, \"meanRun\": %d,"
            + " \"largestRun\": %d, \"surplusRuns\": %d")
        .formatted(
            runs.sizeBytes(),
            runs.extents(),
            runs.runs(),
            runs.storedBytes(),
            runs.meanRunBytes(),
            runs.largestBytes(),
            runs.surplusRuns());
  }
}
