package io.cowfs.fuse.errno;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.vfs.FsError;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ErrnoTest {
  @Test
  void everyErrorHasANumberOfItsOwn() {
    Set<Integer> numbers = new HashSet<>();
    for (FsError error : FsError.values()) {
      assertTrue(Errno.of(error) > 0 && Errno.of(error) < 512, error.name());
      assertTrue(numbers.add(Errno.of(error)), error.name());
    }
    assertEquals(5, Errno.of(FsError.IO));
    assertEquals(116, Errno.of(FsError.STALE));
  }
}
