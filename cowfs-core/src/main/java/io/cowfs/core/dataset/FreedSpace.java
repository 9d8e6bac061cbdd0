package io.cowfs.core.dataset;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.Tree;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/**
 * What a destruction that was only tried would free. Without cloned ranges that is a sum; where
 * there are any, every reference that would die is looked at. The caller holds what it reads.
 */
final class FreedSpace implements NodeVisitor {
  private final Datasets.Storage storage;
  private final SharedRanges shared;
  private long bornAfter;
  private long sectors;

  /**
   * @param shared the counts as of the last commit; changed here, and never committed
   */
  FreedSpace(Datasets.Storage storage, SharedRanges shared) {
    this.storage = storage;
    this.shared = shared;
  }

  /** In sectors. */
  long of(List<Condemned> tried) throws IOException {
    if (shared.isEmpty()) {
      return tried.stream().mapToLong(Condemned::sectors).sum();
    }
    for (Condemned each : tried) {
      switch (each.kind()) {
        case TREE -> {
          bornAfter = each.bornAfter();
          new Tree(each.root().orElseThrow(), storage.reader()).walk(bornAfter, this);
        }
        case LIST -> dies(each);
        default -> {} // Nothing in a forgotten list dies.
      }
    }
    return sectors;
  }

  /**
   * Short lists may have been joined since it was tried: what came to this one stands behind what
   * it had, and what went from it counts as if it were not shared.
   */
  private void dies(Condemned list) throws IOException {
    long[] left = {list.sectors()};
    storage
        .catalog()
        .forEachReference(
            list.list(),
            (sector, count, birth) -> {
              if (left[0] > 0) {
                left[0] -= count;
                dies(sector, count);
              }
            });
    sectors += Math.max(0, left[0]);
  }

  private void dies(long sector, int count) throws IOException {
    shared.decrement(sector, count, (from, length) -> sectors += length);
  }

  @Override
  public void item(Key key, byte[] source, int offset, int length) throws IOException {
    storage
        .scanner()
        .extents(
            key,
            Arrays.copyOfRange(source, offset, offset + length),
            (sector, count, birthTxg) -> {
              if (birthTxg > bornAfter) {
                dies(sector, count);
              }
            });
  }

  @Override
  public void node(BlockPointer pointer, int level) throws IOException {
    pointer.forEachPlace((sector, count, birthTxg) -> dies(sector, count));
  }
}
