package io.cowfs.core.fs;

import io.cowfs.core.vfs.FileType;
import java.util.Arrays;

/**
 * One line of what changed between two states of a dataset. Names are bytes, and so are paths: from
 * the root of the dataset, beginning with a slash. Nothing in it may be changed.
 *
 * <p>Their order is that of the bytes of the paths, then of the kinds.
 *
 * @param inode the number of the file
 * @param type of the file; for a removed one what it was
 * @param path in the later state; for a removed one in the earlier state. Where it is longer than
 *     {@link #PATH_BYTES_MAX}, it begins with dots and lacks its beginning
 * @param oldPath of a renamed file in the earlier state; null for the other kinds
 */
public record FileChange(Kind kind, long inode, FileType type, byte[] path, byte[] oldPath)
    implements Comparable<FileChange> {
  /** Longer paths are shortened: no system call takes them, but there is no limit to depth. */
  public static final int PATH_BYTES_MAX = 32 << 10;

  /** What happened to a name. */
  public enum Kind {
    /** It is there no more. */
    REMOVED,
    /** It was not there. */
    ADDED,
    /** A file that had another name has this one. */
    RENAMED,
    /**
     * What is behind it has another content, size, time of modification, owner, mode, or extended
     * attributes. For a directory, what is in it does not count, and neither do its times.
     */
    MODIFIED
  }

  @Override
  public int compareTo(FileChange other) {
    int byPath = Arrays.compareUnsigned(path, other.path);
    if (byPath != 0) {
      return byPath;
    }
    int byKind = kind.compareTo(other.kind);
    // Only shortened paths can be equal here.
    return byKind != 0 ? byKind : Long.compare(inode, other.inode);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FileChange o
        && compareTo(o) == 0
        && type == o.type
        && Arrays.equals(oldPath, o.oldPath);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(path) * 31 + kind.hashCode();
  }

  /** Roughly what it takes in memory, in bytes. */
  int memoryBytes() {
    return 120 + path.length + (oldPath == null ? 0 : 16 + oldPath.length);
  }
}
