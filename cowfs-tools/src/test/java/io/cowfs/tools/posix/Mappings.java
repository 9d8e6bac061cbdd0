package io.cowfs.tools.posix;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What a test has mapped: a mapping that outlives it keeps its mount busy. Thread-safe. */
final class Mappings {
  private static final Map<Long, Long> BYTES_BY_ADDRESS = new ConcurrentHashMap<>();

  private Mappings() {}

  static void add(long address, long bytes) {
    BYTES_BY_ADDRESS.put(address, bytes);
  }

  static void unmap(long address) {
    CLibrary.C.munmap(address, BYTES_BY_ADDRESS.remove(address));
  }

  static void unmapAll() {
    BYTES_BY_ADDRESS.keySet().forEach(Mappings::unmap);
  }
}
