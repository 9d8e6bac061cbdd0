package io.cowfs.tools.e2e;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * Keeps the pool busy with work that nobody waits for. Of it, a crash may leave anything, as long
 * as it can be read and removed.
 */
final class UnsyncedLoad extends CrashLoad {
  private static final int TREES = 4;
  private static final int BLOCK_BYTES = 1 << 16;

  private int counter;

  UnsyncedLoad(Path directory, long seed) {
    super(directory, seed);
  }

  @Override
  protected void step() throws IOException {
    Path tree = directory.resolve("tree-" + counter++ % TREES);
    remove(tree);
    // One by one: in a mount point that was unmounted meanwhile, this must fail and not make them
    // all.
    Path deep = tree;
    Files.createDirectory(deep);
    for (String name : List.of("a", "b", "c")) {
      deep = Files.createDirectory(deep.resolve(name));
    }
    for (int i = 0; i < 20; i++) {
      Files.write(deep.resolve("small-" + i), noise(6_000));
      Files.createSymbolicLink(tree.resolve("link-" + i), deep.resolve("small-" + i));
    }
    try (FileChannel channel =
        FileChannel.open(
            tree.resolve("large"), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (int i = 0; i < 16; i++) {
        writeAll(channel, noise(BLOCK_BYTES), random.nextInt(1 << 20));
      }
      channel.truncate(random.nextInt(1 << 20));
    }
    Files.createLink(tree.resolve("a/large"), tree.resolve("large"));
  }

  private static void remove(Path tree) throws IOException {
    if (!Files.exists(tree, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (Files.isDirectory(tree, LinkOption.NOFOLLOW_LINKS)) {
      try (var files = Files.newDirectoryStream(tree)) {
        for (Path file : files) {
          remove(file);
        }
      }
    }
    Files.delete(tree);
  }

  @Override
  void verify(String where) throws IOException {
    if (random.nextInt(10) == 0) {
      for (int i = 0; i < TREES; i++) {
        remove(directory.resolve("tree-" + i));
      }
    }
  }
}
