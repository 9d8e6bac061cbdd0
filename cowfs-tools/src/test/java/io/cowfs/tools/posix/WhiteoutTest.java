package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

/** renameat2(2) with RENAME_WHITEOUT. */
@Needs(Feature.RENAME_FLAGS)
class WhiteoutTest extends PosixContract {
  @Test
  void aWhiteoutTakesTheOldName() {
    ROOT.put(at("old"), "content");
    ROOT.rename(at("old"), at("new"), RENAME_WHITEOUT);
    Stat whiteout = ROOT.lstat(at("old"));
    assertEquals(S_IFCHR, whiteout.type());
    assertEquals(0, whiteout.rdevMajor());
    assertEquals(0, whiteout.rdevMinor());
    assertEquals(1, whiteout.nlink());
    assertEquals(7, ROOT.stat(at("new")).size());
    assertEquals(List.of("new", "old"), ROOT.names(here()));
    ROOT.unlink(at("old"));
    assertEquals(List.of("new"), ROOT.names(here()));
  }

  @Test
  void anotherFileIsReplacedAndADirectoryMoved() {
    ROOT.put(at("old"), "content");
    ROOT.put(at("there"), "another");
    refuses(EEXIST, () -> ROOT.rename(at("old"), at("there"), RENAME_WHITEOUT | RENAME_NOREPLACE));
    ROOT.rename(at("old"), at("there"), RENAME_WHITEOUT);
    assertEquals(S_IFCHR, ROOT.lstat(at("old")).type());
    String from = ROOT.directory(at("from"), 0755);
    String to = ROOT.directory(at("to"), 0755);
    ROOT.mkdir(from + "/d", 0755);
    ROOT.rename(from + "/d", to + "/d", RENAME_WHITEOUT);
    assertEquals(S_IFCHR, ROOT.lstat(from + "/d").type());
    assertEquals(2, ROOT.stat(from).nlink());
    assertEquals(3, ROOT.stat(to).nlink());
    ROOT.unlink(from + "/d");
    ROOT.rmdir(from);
  }

  @Test
  void itDoesNotGoWithAnExchange() {
    ROOT.put(at("a"), "a");
    ROOT.put(at("b"), "b");
    refuses(EINVAL, () -> ROOT.rename(at("a"), at("b"), RENAME_WHITEOUT | RENAME_EXCHANGE));
  }
}
