package io.cowfs.core.pool;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.Datasets;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.fs.VolumeAudit;
import io.cowfs.core.scrub.SpaceAudit;
import io.cowfs.core.txg.ReadPins;
import io.cowfs.core.txg.TransactionGroups;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The order in which a pool is audited. Used once, by one thread. */
final class PoolAudit {
  private static final Logger LOG = System.getLogger(PoolAudit.class.getName());

  private final Datasets datasets;
  private final NodeReader reader;
  private final Sources sources;

  /** Roots of trees whose items were looked at. */
  private final Set<Optional<BlockPointer>> seen = new HashSet<>();

  /** Gives what is audited, as of the last commit. */
  @FunctionalInterface
  interface Sources {
    SpaceAudit.Sources now() throws IOException;
  }

  private interface Part {
    List<String> run() throws IOException;
  }

  PoolAudit(Datasets datasets, NodeReader reader, Sources sources) {
    this.datasets = datasets;
    this.reader = reader;
    this.sources = sources;
  }

  /** All at once. Nothing may be committed meanwhile. */
  List<String> whole() {
    List<String> findings = new ArrayList<>(guarded(() -> SpaceAudit.run(sources.now())));
    for (NodeRecord node : datasets.nodes()) {
      findings.addAll(guarded(() -> items(node)));
    }
    return findings;
  }

  /**
   * Data and items are read beside other work, one node of the history after the other, each held
   * as long as it takes; then the books are compared between two commits.
   */
  @SuppressWarnings("try") // The hold is for the node that is looked up after it.
  List<String> whileInUse(TransactionGroups txgs) throws IOException {
    // What is damaged shows twice: where it is read, and where it is missing in the books.
    Set<String> findings = new LinkedHashSet<>();
    for (NodeRecord known : datasets.nodes()) {
      try (ReadPins.Pin pin = txgs.readPins().pin()) {
        Optional<NodeRecord> node = datasets.node(known.id());
        if (node.isPresent()) {
          findings.addAll(guarded(() -> SpaceAudit.readData(sources.now(), node.get())));
          findings.addAll(guarded(() -> items(node.get())));
        }
      }
    }
    txgs.runTask(txg -> () -> findings.addAll(guarded(() -> SpaceAudit.checkBooks(sources.now()))));
    return new ArrayList<>(findings);
  }

  private List<String> items(NodeRecord node) {
    if (!seen.add(node.root())) {
      return List.of();
    }
    Tree tree = new Tree(node.root().orElse(null), reader);
    return VolumeAudit.run("node " + node.id() + " '" + node.name() + "'", tree, node.files());
  }

  /** It only reads: on the sync thread, letting an error through would suspend a sound pool. */
  private static List<String> guarded(Part part) {
    try {
      return part.run();
    } catch (IOException failure) {
      return List.of("pool/unreadable: " + failure.getMessage());
    } catch (RuntimeException | OutOfMemoryError | StackOverflowError failure) {
      LOG.log(Level.ERROR, "the check did not get to its end", failure);
      return List.of("pool/unreadable: the check did not get to its end: " + failure);
    }
  }
}
