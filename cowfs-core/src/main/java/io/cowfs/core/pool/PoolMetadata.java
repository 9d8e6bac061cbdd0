package io.cowfs.core.pool;

import io.cowfs.core.block.BlockStore;
import io.cowfs.core.block.MediumReader;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.Catalog;
import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.PoolLabel;
import io.cowfs.core.txg.ReadPins;
import io.cowfs.core.txg.RootRing;
import io.cowfs.core.txg.TransactionGroups;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;

/** What a scrub reads that belongs to no dataset, while the pool is in use. */
record PoolMetadata(
    PoolLabel label,
    BlockDevice device,
    Catalog catalog,
    BlockStore store,
    TransactionGroups txgs) {

  private interface Part {
    void check() throws IOException;
  }

  /**
   * Reads all of it.
   *
   * @param fronts looks at the labels and rings of the members of a mirror, between two commits;
   *     takes the txg of the last one
   */
  List<String> run(LongFunction<List<String>> fronts) throws IOException {
    List<String> findings = new ArrayList<>();
    // Between two commits: nothing is written to the ring then.
    txgs.runTask(
        txg ->
            () -> {
              findings.addAll(fronts.apply(txg));
              if (!label.isMirrored()) {
                check("scrub/label", () -> PoolLabel.read(device), findings);
              }
              check("scrub/ring", this::checkRing, findings);
            });
    check("scrub/index", catalog::verify, findings);
    check("scrub/directory", this::checkDirectory, findings);
    return findings;
  }

  /** Reads the dataset directory alone. */
  List<String> directory() {
    List<String> findings = new ArrayList<>();
    check("scrub/directory", this::checkDirectory, findings);
    return findings;
  }

  private void checkRing() throws IOException {
    RootRing.open(device, label.uuid(), catalog.pool().txg(), catalog.name());
  }

  @SuppressWarnings("try") // The hold is for the tree that is looked up after it.
  private void checkDirectory() throws IOException {
    try (MediumReader medium = store.openMediumReader();
        ReadPins.Pin pin = txgs.readPins().pin()) {
      new Tree(catalog.pool().directoryRoot().orElse(null), medium::readBlock).check();
    }
  }

  private static void check(String id, Part part, List<String> findings) {
    try {
      part.check();
    } catch (IOException damage) {
      findings.add(id + ": " + damage.getMessage());
    }
  }
}
