package io.cowfs.tools.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cowfs.tools.command.TextTable.Align;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class TextTableTest {
  private static TextTable table() {
    return new TextTable().column("NAME", Align.LEFT).column("N", Align.RIGHT);
  }

  static String printed(Consumer<PrintWriter> printer) {
    StringWriter text = new StringWriter();
    PrintWriter writer = new PrintWriter(text);
    printer.accept(writer);
    writer.flush();
    return text.toString();
  }

  @Test
  void columnsAreAsWideAsTheirWidestText() {
    TextTable table = table();
    table.row("a", "1");
    table.row("longer", "100");
    assertEquals(
        """
        NAME      N
        a         1
        longer  100
        """,
        printed(table::print));
    assertEquals("a\t1\nlonger\t100\n", printed(table::printBare));
  }

  @Test
  void noLineEndsInBlanks() {
    TextTable table = new TextTable().column("A", Align.LEFT).column("LONG", Align.LEFT);
    table.row("x", "y");
    assertEquals("A  LONG\nx  y\n", printed(table::print));
  }

  @Test
  void controlCharactersDoNotReachTheTerminal() {
    TextTable table = table();
    table.row("a\nb\u001b[0m\t", "1");
    assertEquals("a b?[0m?\t1\n", printed(table::printBare));
  }

  @Test
  void rowsHaveAsManyTextsAsThereAreColumns() {
    assertThrows(IllegalArgumentException.class, () -> table().row("a"));
  }
}
