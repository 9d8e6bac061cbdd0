package io.cowfs.core.fs;

import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.ExtentScanner;
import java.io.IOException;
import java.util.List;

/** Tells which items of a dataset's tree refer to extents. Stateless. */
public final class ExtentItems implements ExtentScanner {
  /** The extent that an item refers to; null for most items. */
  public static DataExtent extentOf(Key key, byte[] value) throws CorruptBlockException {
    return key.kind() == Items.EXTENT ? DataExtentFormat.decode(value) : null;
  }

  /** The path of the inode that an item belongs to, for messages; as much of it as can be read. */
  public static String pathOf(Tree tree, Key key) {
    return DirectoryItems.pathOf(tree, key.high());
  }

  /**
   * All paths of the inode that an item belongs to, as much of them as can be read; none when it
   * has no name, or none that can be read.
   */
  public static List<String> pathsOf(Tree tree, Key key) {
    return DirectoryItems.pathsOf(tree, key.high());
  }

  @Override
  public void extents(Key key, byte[] value, ExtentVisitor visitor) throws IOException {
    DataExtent extent = extentOf(key, value);
    if (extent != null) {
      extent.forEachPlace(visitor::extent);
    }
  }
}
