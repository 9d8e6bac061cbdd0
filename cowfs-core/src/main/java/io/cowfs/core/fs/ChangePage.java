package io.cowfs.core.fs;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Takes changes in any order and keeps the first ones, by their order, that come after a given one:
 * as many as fit into a bound. Belongs to one thread.
 */
final class ChangePage {
  private final FileChange after;
  private final long bytesMax;
  private final List<FileChange> changes = new ArrayList<>();
  private long bytes;

  /** The first one that did not fit; null while all did. */
  private FileChange end;

  /**
   * @param after null for the first page
   * @param bytesMax of memory, roughly
   */
  ChangePage(FileChange after, long bytesMax) {
    this.after = after;
    this.bytesMax = bytesMax;
  }

  void add(FileChange change) {
    if ((after != null && change.compareTo(after) <= 0)
        || (end != null && change.compareTo(end) >= 0)) {
      return;
    }
    changes.add(change);
    bytes += change.memoryBytes();
    if (bytes > bytesMax && changes.size() > 1) {
      dropLastQuarter();
    }
  }

  private void dropLastQuarter() {
    Collections.sort(changes);
    int keep = Math.max(1, changes.size() - Math.max(1, changes.size() / 4));
    List<FileChange> dropped = changes.subList(keep, changes.size());
    end = dropped.get(0);
    for (FileChange change : dropped) {
      bytes -= change.memoryBytes();
    }
    dropped.clear();
  }

  /** What it keeps, in order. */
  List<FileChange> sorted() {
    Collections.sort(changes);
    return Collections.unmodifiableList(changes);
  }

  /** False when changes came that are behind those it keeps. */
  boolean hasAll() {
    return end == null;
  }
}
