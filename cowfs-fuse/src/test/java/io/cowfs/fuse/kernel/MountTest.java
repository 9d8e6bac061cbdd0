package io.cowfs.fuse.kernel;

import static org.junit.jupiter.api.Assertions.*;

import io.cowfs.fuse.memory.MemoryFileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
@EnabledIf("io.cowfs.fuse.kernel.MountedMemory#possible")
class MountTest {
  @TempDir Path directory;

  @Test
  void smoke() throws Exception {
    try (var mounted = new MountedMemory<>(new MemoryFileSystem(), directory.resolve("mnt"), "")) {
      Files.writeString(mounted.root.resolve("file"), "hello");
      assertEquals("hello", Files.readString(mounted.root.resolve("file")));
      System.err.println(
          mounted.shell(
              "ls -la; mkdir -p a/b; cp -r /etc/apt a/b; find . | head; stat file; grep memory /proc/mounts; df ."));
    }
  }
}
