package io.cowfs.tools.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.tools.command.DatasetListing.Numbers;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class DatasetListingTest {
  private static final Instant CREATED =
      LocalDateTime.of(2026, 11, 23, 7, 5, 9).atZone(ZoneId.systemDefault()).toInstant();
  private static final long SECONDS = CREATED.getEpochSecond();
  private static final List<DatasetInfo> INFOS =
      List.of(
          new DatasetInfo("root", "", NodeKind.HEAD, "a", 4096, 5_000_000, CREATED, 9),
          new DatasetInfo("root", "a", NodeKind.SNAPSHOT, "", 0, 17, CREATED, 7));

  private static String printed(Consumer<PrintWriter> printer) {
    StringWriter text = new StringWriter();
    PrintWriter writer = new PrintWriter(text);
    printer.accept(writer);
    writer.flush();
    return text.toString();
  }

  @Test
  void tableIsAligned() {
    DatasetListing listing = new DatasetListing(INFOS, Numbers.HUMAN);
    assertEquals(
        """
        NAME     USED  REFER  CREATED
        root    4.00K  4.77M  2026-11-23 07:05:09
        root@a     0B    17B  2026-11-23 07:05:09
        """,
        printed(listing::printTable));
  }

  @Test
  void bareExactLinesAreForScripts() {
    DatasetListing listing = new DatasetListing(INFOS, Numbers.EXACT);
    assertEquals(
        "root\t4096\t5000000\t" + SECONDS + "\nroot@a\t0\t17\t" + SECONDS + "\n",
        printed(listing::printBare));
  }

  @Test
  void jsonIsQuoted() {
    DatasetListing listing = new DatasetListing(INFOS, Numbers.HUMAN);
    assertEquals(
        """
        {"pool": "/srv/\\"p\\\\\\u0007\\"", "datasets": [
          {"name": "root", "type": "dataset", "dataset": "root", "snapshot": null, "parent": "a", \
        "used": 4096, "referenced": 5000000, "created": %1$d, "txg": 9},
          {"name": "root@a", "type": "snapshot", "dataset": "root", "snapshot": "a", "parent": null, \
        "used": 0, "referenced": 17, "created": %1$d, "txg": 7}
        ]}
        """
            .formatted(SECONDS),
        printed(out -> listing.printJson(Path.of("/srv/\"p\\\u0007\""), out)));
  }
}
