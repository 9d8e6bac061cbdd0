package io.cowfs.core.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The tables of docs/FORMAT.md say what the constants of the {@code *Format} classes say. */
class FormatDocumentTest {
  private static final Pattern CLASS = Pattern.compile("([A-Z][A-Za-z]*Format)\\b");
  private static final Pattern ROW =
      Pattern.compile("\\| (\\d+) \\| ([^|]+) \\| `?([A-Za-z][A-Za-z0-9_]*)`? \\|.*");

  /** Describes LMDB's own format, which is not ours. */
  private static final String FOREIGN = "IndexPageFormat";

  private record Row(String formatClass, String section, int offset, String bytes, String field) {}

  @Test
  void everyFieldStandsWhereTheTableSays() throws Exception {
    Map<String, Class<?>> classes = formatClasses();
    List<Row> rows = rows();
    assertTrue(rows.size() > 90, "rows found: " + rows.size());
    for (Row row : rows) {
      if (!row.field.equals(row.field.toUpperCase(Locale.ROOT))) {
        continue; // A part that another table describes.
      }
      Field field = classes.get(row.formatClass).getDeclaredField(row.field);
      field.setAccessible(true);
      assertEquals(row.offset, field.getInt(null), row.formatClass + "." + row.field);
    }
  }

  @Test
  void fieldsFollowEachOtherWithoutGaps() throws Exception {
    Row before = null;
    for (Row row : rows()) {
      if (before != null && before.section.equals(row.section)) {
        assertTrue(before.bytes.matches("\\d+"), before + " has no fixed size but a follower");
        assertEquals(before.offset + Integer.parseInt(before.bytes), row.offset, row.toString());
      } else {
        assertEquals(0, row.offset, row + " is the first of its table");
      }
      before = row;
    }
  }

  @Test
  void everyFormatIsDocumented() throws Exception {
    TreeSet<String> documented = new TreeSet<>();
    rows().forEach(row -> documented.add(row.formatClass));
    TreeSet<String> all = new TreeSet<>(formatClasses().keySet());
    all.remove(FOREIGN);
    assertEquals(all, documented);
  }

  /**
   * Rows of tables under headings of the third level that name a class, or stand below one that
   * does.
   */
  private static List<Row> rows() throws IOException {
    List<Row> rows = new ArrayList<>();
    String formatClass = null;
    String section = "";
    for (String line : Files.readAllLines(Path.of("..", "docs", "FORMAT.md"))) {
      if (line.startsWith("## ")) {
        formatClass = null;
      }
      if (line.startsWith("### ")) {
        section = line;
        Matcher named = CLASS.matcher(line);
        if (named.find()) {
          formatClass = named.group(1);
        }
      }
      Matcher row = ROW.matcher(line);
      if (formatClass != null && row.matches()) {
        rows.add(
            new Row(
                formatClass,
                section,
                Integer.parseInt(row.group(1)),
                row.group(2).replace(",", ""),
                row.group(3)));
      }
    }
    return rows;
  }

  private static Map<String, Class<?>> formatClasses() throws Exception {
    Map<String, Class<?>> classes = new TreeMap<>();
    Path sources = Path.of("src", "main", "java");
    List<Path> files;
    try (Stream<Path> all = Files.walk(sources)) {
      files = all.filter(file -> file.toString().endsWith("Format.java")).toList();
    }
    for (Path file : files) {
      String name = sources.relativize(file).toString().replace(".java", "").replace('/', '.');
      Class<?> found = Class.forName(name);
      classes.put(found.getSimpleName(), found);
    }
    return classes;
  }
}
