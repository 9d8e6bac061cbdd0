package io.cowfs.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.fuse.kernel.MountOptions.Flag;
import java.util.List;
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
