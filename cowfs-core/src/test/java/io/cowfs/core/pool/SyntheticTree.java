package io.cowfs.core.pool;

import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Fills a pool with empty files, past any mount: millions of them in minutes. A program of {@code
 * scripts/bench --scale}; its arguments are the pool, the number of the first file, and the one
 * after the last. A directory {@code d<i>} has the files {@code f<j>} for j from 1,000 i on.
 */
public final class SyntheticTree {
  private static final int FILES_OF_DIRECTORY = 1_000;

  private SyntheticTree() {}

  public static void main(String[] arguments) throws IOException, FsException {
    int first = Integer.parseInt(arguments[1]);
    int end = Integer.parseInt(arguments[2]);
    if (first % FILES_OF_DIRECTORY != 0) {
      throw new IllegalArgumentException("begins within a directory: " + first);
    }
    try (Pool pool = Pool.open(Path.of(arguments[0]))) {
      fill(pool.fileSystem("root"), first, end);
      pool.closeFileSystem("root");
    }
  }

  private static void fill(FileSystem files, int first, int end) throws FsException {
    for (int from = first; from < end; from += FILES_OF_DIRECTORY) {
      byte[] name = name("d", from / FILES_OF_DIRECTORY);
      long directory = files.makeDirectory(Caller.ROOT, FileSystem.ROOT_INODE, name, 0755).inode();
      int last = Math.min(end, from + FILES_OF_DIRECTORY);
      for (int number = from; number < last; number++) {
        int mode = FileType.REGULAR.format() | 0644;
        files.forget(files.makeNode(Caller.ROOT, directory, name("f", number), mode, 0).inode(), 1);
      }
      files.forget(directory, 1);
    }
  }

  private static byte[] name(String prefix, int number) {
    return (prefix + number).getBytes(StandardCharsets.UTF_8);
  }
}
