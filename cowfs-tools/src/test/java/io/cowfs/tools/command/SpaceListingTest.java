package io.cowfs.tools.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.core.pool.SpaceReport;
import io.cowfs.core.pool.SpaceReport.SnapshotSpace;
import io.cowfs.tools.command.SpaceListing.Checkpoints;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class SpaceListingTest {
  private static final SpaceListing LISTING =
      new SpaceListing(
          new SpaceReport(
              "root",
              12288,
              4096,
              List.of(
                  new SnapshotSpace("a", 8192, 0, false),
                  new SnapshotSpace("auto-1", 12288, 4096, true)),
              8192,
              0,
              20480,
              4096,
              4096,
              20480,
              8192,
              49152,
              65536,
              1 << 20));

  @Test
  void sumStandsUnderItsParts() {
    assertEquals(
        """
        NAME    REFER  UNIQUE
        root    12288    4096
        root@a   8192       0
        and 1 checkpoint, listed with -c
        shared by two or more of these: 8192

        IN THE POOL                SIZE
        datasets and snapshots    20480
        less cloned ranges         4096
        directory of datasets      4096
        being destroyed           20480
        pending frees              8192
        sum = allocated           49152
        free                    1048576
        of that reserve           65536
        """,
        TextTableTest.printed(out -> LISTING.print(Long::toString, Checkpoints.COUNTED, out)));
  }

  @Test
  void checkpointsAreShownOnRequest() {
    String text =
        TextTableTest.printed(out -> LISTING.print(SizeText::human, Checkpoints.SHOWN, out));
    assertEquals(
        List.of(
            "NAME         REFER  UNIQUE",
            "root         12.0K   4.00K",
            "root@a       8.00K      0B",
            "root@auto-1  12.0K   4.00K",
            "shared by two or more of these: 8.00K"),
        text.lines().limit(5).toList());
  }

  @Test
  void jsonHasEverythingInBytes() {
    assertEquals(
        """
        {"pool": "/p", "dataset": "root", "live": 12288, "unique": 4096, "shared": 8192, "origin": 0,
         "snapshots": [
          {"name": "root@a", "checkpoint": false, "referenced": 8192, "unique": 0},
          {"name": "root@auto-1", "checkpoint": true, "referenced": 12288, "unique": 4096}
         ],
         "referenced": 20480, "saved": 4096, "directory": 4096, "destroying": 20480, "pending": 8192, \
        "allocated": 49152, "free": 1048576, "reserve": 65536}
        """,
        TextTableTest.printed(out -> LISTING.printJson(Path.of("/p"), out)));
  }
}
