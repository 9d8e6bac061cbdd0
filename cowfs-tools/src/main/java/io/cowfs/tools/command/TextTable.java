package io.cowfs.tools.command;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** Rows of text under a header, printed for people or for scripts. Belongs to one thread. */
final class TextTable {
  /** The side of a column that its texts stand at. */
  enum Align {
    LEFT,
    RIGHT
  }

  private static final String GAP = "  ";

  private final List<String> header = new ArrayList<>();
  private final List<Align> alignments = new ArrayList<>();
  private final List<List<String>> rows = new ArrayList<>();

  /** Adds a column; all of them come before the first row. */
  TextTable column(String name, Align align) {
    header.add(name);
    alignments.add(align);
    return this;
  }

  /** Adds a row with a text for each column. What would disturb the terminal is replaced. */
  void row(String... cells) {
    if (cells.length != header.size()) {
      throw new IllegalArgumentException(cells.length + " cells for " + header.size());
    }
    List<String> row = new ArrayList<>(cells.length);
    for (String cell : cells) {
      row.add(ErrorLine.oneLine(cell));
    }
    rows.add(row);
  }

  /** A header and aligned columns; no line ends in blanks. */
  void print(PrintWriter out) {
    int[] widths = new int[header.size()];
    List<List<String>> lines = new ArrayList<>(rows.size() + 1);
    lines.add(header);
    lines.addAll(rows);
    for (List<String> line : lines) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], line.get(i).length());
      }
    }
    for (List<String> line : lines) {
      out.println(aligned(line, widths));
    }
  }

  private String aligned(List<String> line, int[] widths) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      String cell = line.get(i);
      String blanks = " ".repeat(widths[i] - cell.length());
      text.append(i == 0 ? "" : GAP);
      text.append(alignments.get(i) == Align.LEFT ? cell + blanks : blanks + cell);
    }
    return text.toString().stripTrailing();
  }

  /** For scripts: no header, fields separated by one tab. */
  void printBare(PrintWriter out) {
    rows.forEach(row -> out.println(String.join("\t", row)));
  }
}
