package io.cowfs.tools.exerciser;

import static io.cowfs.tools.posix.CLibrary.C;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.tools.e2e.MountedPool;
import io.cowfs.tools.posix.CLibrary;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import jnr.ffi.Pointer;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written through a mapping is data at once, with and without the writeback cache. */
final class MappedWritesTest {
  private static final int PAGE = 4096;

  @ParameterizedTest
  @ValueSource(strings = {"writeback=on", "writeback=off"})
  void pagesWrittenThroughAMappingAreFoundAndKept(String option, @TempDir Path directory)
      throws Exception {
    try (MountedPool pool = MountedPool.create(directory, "-o", option)) {
      Path file = pool.path("file");
      byte[] name = (file + "\0").getBytes(StandardCharsets.UTF_8);
      int fd = C.openat(AT_FDCWD, name, O_RDWR | O_CREAT, 0600);
      assertEquals(0, C.ftruncate(fd, 4 * PAGE));
      long address = C.mmap(0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
      Pointer memory = CLibrary.memory(address, 4 * PAGE);
      byte[] expected = new byte[4 * PAGE];
      Arrays.fill(expected, 2 * PAGE, 3 * PAGE, (byte) 'x');

      memory.put(2 * PAGE, expected, 2 * PAGE, PAGE);
      assertEquals(2 * PAGE, C.lseek(fd, 0, SEEK_DATA));
      assertEquals(3 * PAGE, C.lseek(fd, 2 * PAGE, SEEK_HOLE));

      expected[PAGE] = 'y';
      memory.putByte(PAGE, (byte) 'y');
      Path snapshots = pool.path(".cowfs/snapshot");
      Files.createDirectory(snapshots.resolve("made"));
      assertArrayEquals(expected, Files.readAllBytes(snapshots.resolve("made/file")));

      expected[0] = 'z';
      memory.putByte(0, (byte) 'z');
      pool.succeed("snapshot", pool.root() + "@asked");
      assertArrayEquals(expected, Files.readAllBytes(snapshots.resolve("asked/file")));

      assertEquals(0, C.munmap(address, 4 * PAGE));
      assertEquals(0, C.close(fd));
    }
  }
}
