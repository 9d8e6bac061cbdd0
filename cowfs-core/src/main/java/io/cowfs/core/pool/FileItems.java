package io.cowfs.core.pool;

import io.cowfs.core.block.DataExtent;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.fs.ExtentItems;
import io.cowfs.core.scrub.ItemReader;
import java.io.IOException;
import java.util.List;

/** Tells those who check a pool what its file systems mean by the items of their trees. */
final class FileItems implements ItemReader {
  @Override
  public DataExtent extentOf(Key key, byte[] value) throws IOException {
    return ExtentItems.extentOf(key, value);
  }

  @Override
  public String pathOf(Tree tree, Key key) {
    return ExtentItems.pathOf(tree, key);
  }

  @Override
  public List<String> pathsOf(Tree tree, Key key) {
    return ExtentItems.pathsOf(tree, key);
  }
}
