package io.cowfs.core.fs;

import io.cowfs.core.btree.Tree;
import java.io.IOException;

/** Tells how the files of a tree lie on the device. The tree must stay meanwhile. */
public final class FragmentationWalk {
  /** Receives files one by one. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * One regular file.
     *
     * @param path from the root of the dataset, without a slash before it
     */
    void file(byte[] path, FileRuns runs) throws IOException;
  }

  private FragmentationWalk() {}

  /**
   * Visits the files at and below a path, each once.
   *
   * @param path relative to the root of the dataset; empty for all of it
   * @return whether the path leads to one file
   * @throws io.cowfs.core.dataset.DatasetException INVALID_NAME, NAME_TOO_LONG; NOT_FOUND when
   *     there is no file or directory of this path
   */
  public static boolean run(Tree tree, byte[] path, Visitor visitor) throws IOException {
    ItemSource items = ItemSource.of(tree);
    FileWalk walk = new FileWalk(items, path);
    boolean single = walk.isSingleFile();
    for (FileWalk.Found found = walk.next(); found != null; found = walk.next()) {
      visitor.file(found.path(), RunCounter.of(items, found.inode()));
    }
    return single;
  }
}
