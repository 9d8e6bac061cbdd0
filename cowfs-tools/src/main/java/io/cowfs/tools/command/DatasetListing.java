package io.cowfs.tools.command;

import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.tools.command.TextTable.Align;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/** The layouts of {@code cowfs list}. */
final class DatasetListing {
  /** How numbers and times are printed, outside of JSON. */
  enum Numbers {
    HUMAN,
    EXACT
  }

  private final List<DatasetInfo> infos;
  private final Numbers numbers;

  DatasetListing(List<DatasetInfo> infos, Numbers numbers) {
    this.infos = infos;
    this.numbers = numbers;
  }

  /** A header and aligned columns. */
  void printTable(PrintWriter out) {
    table().print(out);
  }

  /** For scripts: one line each, fields separated by one tab. */
  void printBare(PrintWriter out) {
    table().printBare(out);
  }

  private TextTable table() {
    TextTable table =
        new TextTable()
            .column("NAME", Align.LEFT)
            .column("USED", Align.RIGHT)
            .column("REFER", Align.RIGHT)
            .column("CREATED", Align.LEFT);
    for (DatasetInfo info : infos) {
      table.row(
          info.fullName(),
          size(info.usedBytes()),
          size(info.referencedBytes()),
          time(info.created()));
    }
    return table;
  }

  /** One JSON object (RFC 8259), always with exact numbers. */
  void printJson(Path pool, PrintWriter out) {
    out.print("{\"pool\": " + JsonText.quote(pool.toString()) + ", \"datasets\": [");
    String separator = "\n  ";
    for (DatasetInfo info : infos) {
      out.print(separator);
      out.print(
          "{\"name\": %s, \"type\": %s, \"dataset\": %s, \"snapshot\": %s, \"parent\": %s, "
              .formatted(
                  JsonText.quote(info.fullName()),
                  JsonText.quote(type(info.kind())),
                  JsonText.quote(info.dataset()),
                  JsonText.orNull(info.snapshot()),
                  JsonText.orNull(info.parentSnapshot())));
      out.print(
          "\"used\": %d, \"referenced\": %d, \"created\": %d, \"txg\": %d}"
              .formatted(
                  info.usedBytes(),
                  info.referencedBytes(),
                  info.created().getEpochSecond(),
                  info.txg()));
      separator = ",\n  ";
    }
    out.println("\n]}");
  }

  private static String type(NodeKind kind) {
    return switch (kind) {
      case HEAD -> "dataset";
      case SNAPSHOT -> "snapshot";
      case CHECKPOINT -> "checkpoint";
    };
  }

  private String size(long bytes) {
    return numbers == Numbers.EXACT ? Long.toString(bytes) : SizeText.human(bytes);
  }

  private String time(Instant instant) {
    if (numbers == Numbers.EXACT) {
      return Long.toString(instant.getEpochSecond());
    }
    return TimeText.local(instant);
  }
}
