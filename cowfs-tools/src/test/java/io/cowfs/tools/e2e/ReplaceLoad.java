package io.cowfs.tools.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Random;

/**
 * Saves a document as editors do: write a new file, sync it, rename it over the old one. After a
 * crash the document is whole, in the version last acknowledged or the one in the making.
 */
final class ReplaceLoad extends CrashLoad {
  private final long seed;
  private int acknowledged;
  private int latest;

  ReplaceLoad(Path directory, long seed) throws IOException {
    super(directory, seed);
    this.seed = seed;
    step();
  }

  private byte[] document(int version) {
    Random source = new Random(seed + version);
    byte[] content = new byte[source.nextInt(40_000)];
    source.nextBytes(content);
    return content;
  }

  @Override
  protected void step() throws IOException {
    latest++;
    Path temporary = directory.resolve("document~");
    writeSynced(temporary, document(latest));
    Files.move(temporary, directory.resolve("document"), StandardCopyOption.ATOMIC_MOVE);
    syncDirectory(directory);
    acknowledged = latest;
  }

  @Override
  void verify(String where) throws IOException {
    byte[] found = Files.readAllBytes(directory.resolve("document"));
    for (int version = acknowledged; version <= latest; version++) {
      if (Arrays.equals(found, document(version))) {
        acknowledged = version;
        latest = version;
        return;
      }
    }
    throw new AssertionError(
        "the document of "
            + found.length
            + " bytes is neither version "
            + acknowledged
            + " nor "
            + latest
            + ", "
            + where);
  }
}
