package io.cowfs.core.fs;

import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.btree.Key;
import io.cowfs.core.dataset.ExtentScanner;
import java.io.IOException;

/** Tells which items of a dataset's tree refer to extents. Stateless. */
public final class ExtentItems implements ExtentScanner {
  @Override
  public void extents(Key key, byte[] value, ExtentVisitor visitor) throws IOException {
    if (key.kind() == Items.EXTENT) {
      DataExtent extent = DataExtentFormat.decode(value);
      visitor.extent(extent.sector(), extent.sectors(), extent.birthTxg());
    }
  }
}
