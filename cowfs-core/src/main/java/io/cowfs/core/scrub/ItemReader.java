package io.cowfs.core.scrub;

import io.cowfs.core.block.DataExtent;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.Tree;
import java.io.IOException;
import java.util.List;

/** Given by the layer that owns the items of a dataset's tree. Stateless and thread-safe. */
public interface ItemReader {
  /**
   * The extent that an item refers to; null for most items. The items of a file that refer to
   * extents differ in the lower part of their keys, which is the offset in the file, in bytes.
   */
  DataExtent extentOf(Key key, byte[] value) throws IOException;

  /** The path of the file that an item belongs to, as much of it as can be read. */
  String pathOf(Tree tree, Key key);

  /** The paths of all names of that file, as far as they can be read; none when it has no name. */
  List<String> pathsOf(Tree tree, Key key);
}
