package io.cowfs.core.scrub;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.dataset.ScrubLog;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Says who has what is damaged: each dataset and snapshot that reaches it as of now, and each path
 * of the file there. What nobody has any more, because it was freed meanwhile, is no finding.
 *
 * <p>A file is named once for each dataset or snapshot and each of its paths, however much of it is
 * damaged. Lines begin with a stable id, see the package's description.
 *
 * <p>Confined to one thread. The caller holds what the nodes of the history reach.
 */
final class DamageReport {
  private static final String OFFSET = " at offset ";

  private final Supplier<List<NodeRecord>> history;
  private final NodeReader reader;
  private final ItemReader items;
  private final List<String> added = new ArrayList<>();

  /** What was named already, in this scrub. */
  private final Set<String> named = new HashSet<>();

  private int findings;
  private long errors;

  /** Whether a state of a dataset has what is damaged. */
  private interface Holder {
    boolean holds(Tree tree) throws IOException;
  }

  /**
   * @param history as of the last commit
   * @param stored the findings that the scrub had made before
   */
  DamageReport(
      Supplier<List<NodeRecord>> history,
      NodeReader reader,
      ItemReader items,
      List<String> stored) {
    this.history = history;
    this.reader = reader;
    this.items = items;
    this.findings = stored.size();
    stored.forEach(line -> named.add(subject(line)));
  }

  private static String subject(String line) {
    int offset = line.lastIndexOf(OFFSET);
    return offset < 0 ? line : line.substring(0, offset);
  }

  /** The findings since the last call. */
  List<String> takeAdded() {
    List<String> taken = List.copyOf(added);
    added.clear();
    return taken;
  }

  /** The blocks and extents that were found damaged since the last call. */
  long takeErrors() {
    long taken = errors;
    errors = 0;
    return taken;
  }

  /** Something that belongs to no dataset. */
  void ofPool(String finding) {
    errors++;
    report(finding, finding);
  }

  private void report(String subject, String line) {
    if (named.add(subject) && findings < ScrubLog.FINDINGS_MAX) {
      findings++;
      added.add(line);
    }
  }

  /**
   * An extent is damaged.
   *
   * @param key of an item that refers to it
   * @param badSectors counted within the extent
   */
  void extent(Key key, DataExtent extent, BitSet badSectors, String what) throws IOException {
    Map<NodeRecord, Tree> holders =
        holders(extent.birthTxg(), tree -> hasExtent(tree, key, extent, badSectors));
    errors += holders.isEmpty() ? 0 : 1;
    Map<Integer, NodeRecord> nodes = byId();
    holders.forEach(
        (node, tree) -> {
          String file = " (inode " + key.high() + ")";
          List<String> paths = items.pathsOf(tree, key);
          for (String path : paths.isEmpty() ? List.of("a file without a name") : paths) {
            String subject = "scrub/data: " + NodeNames.of(node, nodes) + ":" + path + file;
            report(subject, subject + OFFSET + key.low() + ": " + what);
          }
        });
  }

  /** Whether a tree refers to any of the bad sectors, by the reference or by a piece of it. */
  private boolean hasExtent(Tree tree, Key key, DataExtent extent, BitSet badSectors)
      throws IOException {
    Key last = new Key(key.high(), key.kind(), key.low() + extent.logicalBytes() - 1);
    boolean[] has = {false};
    tree.scan(
        key,
        last,
        (found, source, offset, length) -> {
          byte[] value = Arrays.copyOfRange(source, offset, offset + length);
          DataExtent piece = items.extentOf(found, value);
          if (piece != null && piece.birthTxg() == extent.birthTxg()) {
            long from = Math.max(0, piece.sector() - extent.sector());
            long to = piece.sector() + piece.sectors() - extent.sector();
            int bad = badSectors.nextSetBit((int) Math.min(from, extent.sectors()));
            has[0] |= bad >= 0 && bad < to;
          }
          return !has[0];
        });
    return has[0];
  }

  /**
   * A node is damaged.
   *
   * @param first its first key
   * @param next the first key behind it, null where that is not known
   */
  void node(BlockPointer pointer, Key first, Key next, String what) throws IOException {
    Map<NodeRecord, Tree> holders =
        holders(pointer.birthTxg(), tree -> tree.hasNode(pointer, first));
    errors += holders.isEmpty() ? 0 : 1;
    Map<Integer, NodeRecord> nodes = byId();
    holders.forEach(
        (node, tree) -> {
          Set<String> paths = new LinkedHashSet<>(items.pathsOf(tree, first));
          if (next != null) {
            paths.addAll(items.pathsOf(tree, next));
          }
          String inodes =
              next == null ? "from " + first.high() : first.high() + " to " + next.high();
          String line =
              "scrub/node: %s: inodes %s%s: %s"
                  .formatted(
                      NodeNames.of(node, nodes),
                      inodes,
                      paths.isEmpty() ? "" : " (" + String.join(", ", paths) + ")",
                      what);
          report(line, line);
        });
  }

  private Map<Integer, NodeRecord> byId() {
    Map<Integer, NodeRecord> nodes = new HashMap<>();
    history.get().forEach(node -> nodes.put(node.id(), node));
    return nodes;
  }

  /**
   * The states that have what was born in a txg, with their trees. What a snapshot from after that
   * txg has not, none that continues it has.
   */
  private Map<NodeRecord, Tree> holders(long birthTxg, Holder holder) {
    Map<Integer, NodeRecord> nodes = byId();
    Set<Integer> lacking = new HashSet<>();
    Map<NodeRecord, Tree> holders = new LinkedHashMap<>();
    // A snapshot has a smaller id than all that continue it, but for heads.
    List<NodeRecord> ordered = new ArrayList<>(nodes.values());
    ordered.sort(
        (a, b) -> {
          int byKind = Boolean.compare(a.kind() == NodeKind.HEAD, b.kind() == NodeKind.HEAD);
          return byKind != 0 ? byKind : Integer.compare(a.id(), b.id());
        });
    for (NodeRecord node : ordered) {
      NodeRecord parent = nodes.get(node.parent());
      boolean parentLacks =
          parent != null && parent.txg() >= birthTxg && lacking.contains(parent.id());
      boolean tooOld = node.kind() != NodeKind.HEAD && node.txg() < birthTxg;
      Tree tree = new Tree(node.root().orElse(null), reader);
      try {
        if (!parentLacks && !tooOld && holder.holds(tree)) {
          holders.put(node, tree);
        } else {
          lacking.add(node.id());
        }
      } catch (IOException unreadable) {
        // Not known of this one, and so looked up in those that continue it.
      }
    }
    return holders;
  }
}
