package io.cowfs.tools.e2e;

import java.nio.file.Files;
import java.nio.file.Path;

/** The checkout that the tests run in. */
public final class Checkout {
  private static final Path ROOT = find();

  private Checkout() {}

  /** A file of it, by its name from the top. */
  public static Path path(String name) {
    return ROOT.resolve(name);
  }

  private static Path find() {
    Path start = Path.of("").toAbsolutePath();
    for (Path directory = start; directory != null; directory = directory.getParent()) {
      if (Files.isExecutable(directory.resolve("scripts/cowfs"))) {
        return directory;
      }
    }
    throw new IllegalStateException("no scripts/cowfs above " + start);
  }
}
