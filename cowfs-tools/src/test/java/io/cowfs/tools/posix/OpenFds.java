package io.cowfs.tools.posix;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The descriptors that a test has open, so that none outlives it. Thread-safe. */
final class OpenFds {
  private static final Set<Integer> OPEN = ConcurrentHashMap.newKeySet();

  private OpenFds() {}

  static int add(int fd) {
    OPEN.add(fd);
    return fd;
  }

  static void close(int fd) {
    OPEN.remove(fd);
    if (CLibrary.C.close(fd) < 0) {
      throw new ErrnoException(CLibrary.errno(), "close " + fd);
    }
  }

  static void closeAll() {
    for (int fd : OPEN) {
      close(fd);
    }
  }
}
