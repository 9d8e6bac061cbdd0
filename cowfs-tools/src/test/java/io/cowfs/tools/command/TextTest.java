package io.cowfs.tools.command;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.tools.command.GetCommand.Row;
import io.cowfs.tools.command.PoolVerb.Flush;
import io.cowfs.tools.target.TargetException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The small texts that commands read and write. */
class TextTest {
  @Test
  void wordsForTheShellAreQuotedWhereTheyMustBe() {
    assertEquals("/srv/pool/home@a-1", ShellText.word("/srv/pool/home@a-1"));
    assertEquals("'/srv/my pool@a'", ShellText.word("/srv/my pool@a"));
    assertEquals("'it'\\''s'", ShellText.word("it's"));
    assertEquals("''", ShellText.word(""));
  }

  @Test
  void assignmentEndsItsNameAtTheFirstEqualSign() {
    assertEquals(new PropertyAssignment("a", "b=c"), PropertyAssignment.parse("a=b=c"));
    assertEquals(new PropertyAssignment("user:x", ""), PropertyAssignment.parse("user:x="));
    assertEquals("a=b=c", PropertyAssignment.parse("a=b=c").toString());
    for (String text : List.of("", "a", "=b")) {
      assertThrows(IllegalArgumentException.class, () -> PropertyAssignment.parse(text), text);
    }
  }

  @Test
  void pathInADatasetHasPlainComponents() throws TargetException {
    assertEquals("docs/readme.txt", RollbackCommand.components("docs//readme.txt/"));
    for (String path : List.of("", "/", ".", "a/../b", "a/.")) {
      assertThrows(TargetException.class, () -> RollbackCommand.components(path), path);
    }
  }

  @Test
  void changeIsBelowAPathByWholeComponents() {
    for (String path : List.of("/a/b", "/a/b/c")) {
      assertTrue(RollbackCommand.isAtOrBelow(path.getBytes(UTF_8), "a/b".getBytes(UTF_8)), path);
    }
    for (String path : List.of("/a", "/a/bc", "/b/a/b", "/")) {
      assertFalse(RollbackCommand.isAtOrBelow(path.getBytes(UTF_8), "a/b".getBytes(UTF_8)), path);
    }
  }

  @Test
  void chosenPropertiesComeInTheOrderAskedFor() throws TargetException {
    Row atime = new Row("atime", "on", "default");
    Row owner = new Row("user:owner", "anna", "local");
    List<Row> all = List.of(atime, owner);
    assertEquals(all, GetCommand.choose(all, List.of()));
    assertEquals(
        List.of(owner, new Row("user:none", "-", "-"), atime),
        GetCommand.choose(all, List.of("user:owner", "user:none", "atime")));
    assertThrows(TargetException.class, () -> GetCommand.choose(all, List.of("frobs")));
  }

  @Test
  void recursiveSnapshotFlushesTheDatasetsBelow() {
    assertEquals(Flush.DATASET, PoolVerb.SNAPSHOT.flushFirst(List.of("snapshot", "p@x")));
    assertEquals(Flush.SUBTREE, PoolVerb.SNAPSHOT.flushFirst(List.of("snapshot", "-r", "p@x")));
    assertEquals(
        Flush.SUBTREE, PoolVerb.SNAPSHOT.flushFirst(List.of("snapshot", "p@x", "--recursive")));
    assertEquals(Flush.DATASET, PoolVerb.ROLLBACK.flushFirst(List.of("rollback", "-n", "p@x")));
    assertEquals(Flush.NOTHING, PoolVerb.DESTROY.flushFirst(List.of("destroy", "-r", "p/x")));
  }
}
