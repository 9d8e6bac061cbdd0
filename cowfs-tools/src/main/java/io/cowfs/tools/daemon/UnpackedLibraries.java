package io.cowfs.tools.daemon;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Shared libraries that lmdbjava, lz4-java and zstd-jni take out of their jars into the temporary
 * directory. They are deleted when the virtual machine ends, and so stay for ever when it is
 * killed.
 */
final class UnpackedLibraries {
  private static final Logger LOG = DaemonLog.logger(UnpackedLibraries.class);
  private static final Path MAPS = Path.of("/proc/self/maps");

  /** A line of proc_pid_maps(5), with the file that is mapped. */
  private static final Pattern LIBRARY =
      Pattern.compile(
          "[^/]* (/.*/(lmdbjava-native-library-|liblz4-java-|libzstd-jni-)[^/ ]*\\.so)");

  /** A file of lz4-java beside its library. */
  private static final String LOCK_SUFFIX = ".lck";

  private UnpackedLibraries() {}

  /** Deletes those that this process has loaded: it keeps what it has mapped. */
  static void delete() {
    try {
      for (Path library : loaded()) {
        Files.deleteIfExists(library);
        Files.deleteIfExists(library.resolveSibling(library.getFileName() + LOCK_SUFFIX));
      }
    } catch (IOException e) {
      LOG.log(Level.WARNING, "libraries are left in the temporary directory", e);
    }
  }

  private static Set<Path> loaded() throws IOException {
    Set<Path> libraries = new LinkedHashSet<>();
    for (String line : Files.readAllLines(MAPS, StandardCharsets.ISO_8859_1)) {
      Matcher library = LIBRARY.matcher(line);
      if (library.matches()) {
        libraries.add(Path.of(library.group(1)));
      }
    }
    return libraries;
  }
}
