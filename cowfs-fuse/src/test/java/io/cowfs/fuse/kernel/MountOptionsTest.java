package io.cowfs.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.vfs.AccessTimes;
import io.cowfs.fuse.kernel.MountOptions.Flag;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class MountOptionsTest {
  @Test
  void laterOptionsOverruleEarlierOnes() throws Exception {
    MountOptions options = MountOptions.parse(List.of("ro,nosuid", "rw,writeback=off,nonempty"));
    assertFalse(options.has(Flag.READ_ONLY));
    assertTrue(options.has(Flag.NO_SUID));
    assertFalse(options.writeback());
    assertTrue(options.nonEmpty());
    assertEquals(2, options.kernelFlags());
    assertEquals(List.of("nosuid"), options.flagOptions());
  }

  @Test
  void nothingMeansTheDefaults() throws Exception {
    assertEquals(MountOptions.defaults(), MountOptions.parse(List.of()));
    assertEquals(MountOptions.defaults(), MountOptions.parse(List.of("", "defaults,rw")));
    assertTrue(MountOptions.defaults().writeback());
    assertFalse(MountOptions.defaults().userSnapshots());
    assertTrue(MountOptions.parse(List.of("usersnap,ro")).userSnapshots());
    assertFalse(MountOptions.parse(List.of("usersnap", "nousersnap")).userSnapshots());
  }

  @Test
  void ofTheAccessTimesTheLastOptionCounts() throws Exception {
    assertAccess(AccessTimes.CONFIGURED, AccessTimes.CONFIGURED, "noatime,relatime");
    assertAccess(AccessTimes.NEVER, AccessTimes.NEVER, "strictatime,noatime");
    assertAccess(AccessTimes.ALWAYS, AccessTimes.ALWAYS, "noatime,strictatime");
    assertAccess(AccessTimes.CONFIGURED, AccessTimes.CONFIGURED, "noatime,atime");
    assertAccess(AccessTimes.ALWAYS, AccessTimes.NEVER, "strictatime,nodiratime");
    assertAccess(AccessTimes.NEVER, AccessTimes.NEVER, "strictatime,ro");
  }

  private static void assertAccess(AccessTimes files, AccessTimes directories, String options)
      throws Exception {
    MountOptions parsed = MountOptions.parse(List.of(options));
    assertEquals(files, parsed.accessTimesOfFiles(), options);
    assertEquals(directories, parsed.accessTimesOfDirectories(), options);
  }

  @Test
  void aRemountStartsWithNoFlagsAndKeepsTheRest() throws Exception {
    MountOptions mounted = MountOptions.parse(List.of("ro,nosuid,writeback=off,usersnap"));
    MountOptions changed = mounted.remounted(List.of("rw,noatime"));
    assertEquals(Set.of(Flag.NO_ATIME), changed.flags());
    assertFalse(changed.writeback());
    assertTrue(changed.userSnapshots());
    assertEquals(32 | 1024, changed.remountFlags());
    // The kernel keeps its noatime unless it is told of another.
    assertEquals(32 | 1 << 21, mounted.remounted(List.of("rw")).remountFlags());
    for (String option : List.of("writeback=on", "nousersnap", "nope")) {
      String message =
          assertThrows(MountException.class, () -> mounted.remounted(List.of("ro", option)))
              .getMessage();
      assertTrue(
          message.contains(option.equals("nope") ? "nope" : option.replaceAll("^no|=on$", "")),
          message);
    }
  }

  @Test
  void unknownOptionsAreRefusedByName() {
    for (String option : List.of("nope", "writeback=maybe", "fd=3", "RO")) {
      String message =
          assertThrows(MountException.class, () -> MountOptions.parse(List.of("ro," + option)))
              .getMessage();
      assertEquals("unknown mount option: " + option, message);
    }
  }

  @Test
  void mountPointsAreUnescaped() {
    assertEquals("/a b\tc\\d\\", MountTable.unescape("/a\\040b\\011c\\134d\\"));
  }
}
