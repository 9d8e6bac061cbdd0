package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.time.Instant;
import org.junit.jupiter.api.Test;

/** statx(2) with STATX_BTIME. */
class BirthTimeTest extends PosixContract {
  @Needs(Feature.BIRTH_TIMES)
  @Test
  void theTimeOfBirthStays() {
    String file = ALICE.file(at("f"), 0600);
    Instant born = ALICE.stat(file).btime();
    assertFalse(born.isAfter(Instant.now()));
    tick();
    ALICE.put(file, "content");
    ALICE.chmod(file, 0644);
    ALICE.utimens(file, 1, 0, 1, 0);
    ALICE.rename(file, at("g"));
    assertEquals(born, ALICE.stat(at("g")).btime());
    ALICE.mkdir(at("d"), 0700);
    assertFalse(ALICE.stat(at("d")).btime().isBefore(born));
  }

  @Test
  void devicesHaveTheirNumbersInTheSameAnswer() {
    ROOT.mknod(at("device"), S_IFCHR | 0600, 0xabc12345L);
    Stat stat = ROOT.stat(at("device"));
    ROOT.mknod(at("small"), S_IFBLK | 0600, 0x0102L);
    assertEquals(1, ROOT.stat(at("small")).rdevMajor());
    assertEquals(2, ROOT.stat(at("small")).rdevMinor());
    assertEquals(0xabc12345L & 0xff | (0xabc12345L >>> 12 & 0xfff00L), stat.rdevMinor());
    assertEquals(0xabc12345L >>> 8 & 0xfff, stat.rdevMajor());
  }
}
