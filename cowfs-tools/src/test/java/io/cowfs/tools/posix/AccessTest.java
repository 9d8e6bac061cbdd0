package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** access(2) and faccessat2(2). */
class AccessTest extends PosixContract {
  @ParameterizedTest
  @ValueSource(ints = {0, 3, 6})
  void tellsWhatTheClassMayDo(int shift) {
    ALICE.file(at("f"), 0644);
    ROOT.chown(at("f"), shift == 6 ? BOB.uid() : 1, shift == 3 ? BOB.gid() : 1);
    for (int bits = 0; bits < 8; bits++) {
      ROOT.chmod(at("f"), bits << shift);
      for (int wanted = 0; wanted < 8; wanted++) {
        int mode = wanted;
        for (int flags : new int[] {0, AT_EACCESS}) {
          if ((bits & wanted) == wanted) {
            BOB.faccessat2(AT_FDCWD, at("f"), mode, flags);
          } else {
            refuses(EACCES, () -> BOB.faccessat2(AT_FDCWD, at("f"), mode, flags));
          }
        }
      }
    }
  }

  @Test
  void rootMayAllButRunWhatNobodyMay() {
    ALICE.file(at("f"), 0);
    ROOT.access(at("f"), R_OK | W_OK);
    refuses(EACCES, () -> ROOT.access(at("f"), X_OK));
    ALICE.chmod(at("f"), 010);
    ROOT.access(at("f"), R_OK | W_OK | X_OK);
    ALICE.mkdir(at("d"), 0);
    ROOT.access(at("d"), R_OK | W_OK | X_OK);
  }

  @Test
  void otherBitsAreInvalid() {
    ALICE.file(at("f"), 0777);
    refuses(EINVAL, () -> ALICE.access(at("f"), 8));
    refuses(EINVAL, () -> ALICE.faccessat2(AT_FDCWD, at("f"), R_OK, 0x8000));
  }

  @Test
  void aLinkItselfIsAskedOnRequest() {
    ALICE.symlink("nowhere", at("link"));
    refuses(ENOENT, () -> ALICE.access(at("link"), F_OK));
    ALICE.faccessat2(AT_FDCWD, at("link"), F_OK, AT_SYMLINK_NOFOLLOW);
  }

  @Test
  void aViewWithoutExecutionAllowsNone() {
    ALICE.file(at("f"), 0777);
    ALICE.mkdir(at("d"), 0777);
    String view = view(MS_NOEXEC);
    refuses(EACCES, () -> ALICE.access(view + "/f", X_OK));
    ALICE.access(view + "/d", X_OK);
  }
}
