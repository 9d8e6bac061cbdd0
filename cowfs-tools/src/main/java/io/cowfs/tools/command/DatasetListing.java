package io.cowfs.tools.command;

import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.dataset.NodeKind;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;

/** The layouts of {@code cowfs list}. */
final class DatasetListing {
  /** How numbers and times are printed, outside of JSON. */
  enum Numbers {
    HUMAN,
    EXACT
  }

  private record Row(String name, String used, String referred, String created) {}

  private static final Row HEADER = new Row("NAME", "USED", "REFER", "CREATED");

  private final List<DatasetInfo> infos;
  private final Numbers numbers;

  DatasetListing(List<DatasetInfo> infos, Numbers numbers) {
    this.infos = infos;
    this.numbers = numbers;
  }

  /** A header and aligned columns. */
  void printTable(PrintWriter out) {
    List<Row> rows = new ArrayList<>();
    rows.add(HEADER);
    infos.forEach(info -> rows.add(row(info)));
    int name = 0;
    int used = 0;
    int referred = 0;
    for (Row row : rows) {
      name = Math.max(name, row.name().length());
      used = Math.max(used, row.used().length());
      referred = Math.max(referred, row.referred().length());
    }
    String format = "%-" + name + "s  %" + used + "s  %" + referred + "s  %s%n";
    for (Row row : rows) {
      out.printf(format, row.name(), row.used(), row.referred(), row.created());
    }
  }

  /** For scripts: one line each, fields separated by one tab. */
  void printBare(PrintWriter out) {
    for (DatasetInfo info : infos) {
      Row row = row(info);
      out.println(row.name() + "\t" + row.used() + "\t" + row.referred() + "\t" + row.created());
    }
  }

  /** One JSON object (RFC 8259), always with exact numbers. */
  void printJson(Path pool, PrintWriter out) {
    out.print("{\"pool\": " + quote(pool.toString()) + ", \"datasets\": [");
    String separator = "\n  ";
    for (DatasetInfo info : infos) {
      out.print(separator);
      out.print(
          "{\"name\": %s, \"type\": %s, \"dataset\": %s, \"snapshot\": %s, \"parent\": %s, "
              .formatted(
                  quote(info.fullName()),
                  info.kind() == NodeKind.HEAD ? "\"dataset\"" : "\"snapshot\"",
                  quote(info.dataset()),
                  orNull(info.snapshot()),
                  orNull(info.parentSnapshot())));
      out.print(
          "\"used\": %d, \"referenced\": %d, \"created\": %d, \"txg\": %d, \"compression\": %s}"
              .formatted(
                  info.usedBytes(),
                  info.referencedBytes(),
                  info.created().getEpochSecond(),
                  info.txg(),
                  quote(info.compression().toString())));
      separator = ",\n  ";
    }
    out.println("\n]}");
  }

  private Row row(DatasetInfo info) {
    return new Row(
        info.fullName(),
        size(info.usedBytes()),
        size(info.referencedBytes()),
        time(info.created()));
  }

  private String size(long bytes) {
    return numbers == Numbers.EXACT ? Long.toString(bytes) : SizeText.human(bytes);
  }

  private String time(Instant instant) {
    if (numbers == Numbers.EXACT) {
      return Long.toString(instant.getEpochSecond());
    }
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

  private static String orNull(String s) {
    return s.isEmpty() ? "null" : quote(s);
  }

  private static String quote(String s) {
    StringBuilder quoted = new StringBuilder(s.length() + 2).append('"');
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < ' ' || Character.isSurrogate(c)) {
        quoted.append("\\u%04x".formatted((int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }
}
