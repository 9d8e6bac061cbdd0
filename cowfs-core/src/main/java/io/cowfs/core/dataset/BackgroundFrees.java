package io.cowfs.core.dataset;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockWriter;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.PartialWalk;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.txg.Participant;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Frees in each txg a bounded part of what was destroyed. How far it came is in the index with the
 * txg that freed it, so a crash neither repeats nor forgets anything.
 *
 * <p>What cannot be read, because it is damaged, stays condemned: its space is lost until the pool
 * is opened again, the pool is not.
 */
final class BackgroundFrees implements Participant {
  private static final Logger LOG = System.getLogger(BackgroundFrees.class.getName());

  /**
   * What is done in one txg, at most.
   *
   * @param references that die; a leaf or a chunk more
   * @param chunks that are only deleted
   */
  record Budget(int references, int chunks) {
    static final Budget USUAL = new Budget(20_000, 10_000);
  }

  /**
   * A piece of a tree is smaller where reading takes long: others wait for the commit that it is
   * in.
   */
  private static final long READING_NANOS = 250_000_000L;

  private final Datasets datasets;
  private final Catalog catalog;
  private final CondemnedSpace condemned;
  private final ExtentScanner scanner;
  private final Budget budget;
  private final LongSupplier nanoTime;

  /** Ids of what is damaged. */
  private final Set<Long> stuck = new HashSet<>();

  private volatile boolean backlog;

  BackgroundFrees(
      Datasets datasets, Datasets.Storage storage, CondemnedSpace condemned, Budget budget) {
    this.datasets = datasets;
    this.catalog = storage.catalog();
    this.condemned = condemned;
    this.scanner = storage.scanner();
    this.budget = budget;
    this.nanoTime = storage.nanoTime();
    this.backlog = !condemned.isEmpty();
  }

  @Override
  public void freeze(long next) {}

  @Override
  public void sync(long txg, BlockWriter writer) throws IOException {
    int references = budget.references();
    int chunks = budget.chunks();
    long start = nanoTime.getAsLong();
    for (Condemned each : condemned.oldestFirst()) {
      if (references <= 0 || chunks <= 0 || isLate(start)) {
        break;
      }
      if (stuck.contains(each.id())) {
        continue;
      }
      switch (each.kind()) {
        case TREE -> references -= freeTree(each, references, start);
        case LIST -> references -= freeList(each, references);
        case FORGOTTEN_LIST -> chunks -= forgetList(each, chunks);
        default -> throw new IllegalStateException(each.toString());
      }
    }
  }

  private boolean isLate(long start) {
    return nanoTime.getAsLong() - start > READING_NANOS;
  }

  /** Frees a piece of a tree; returns how many references died. */
  private int freeTree(Condemned tree, int references, long start) throws IOException {
    Piece piece = new Piece(tree.bornAfter());
    PartialWalk walk =
        new PartialWalk(
            tree.bornAfter(), piece, () -> piece.references() >= references || isLate(start));
    PartialWalk.Progress progress =
        walk.walk(
            new Tree(tree.root().orElseThrow(), datasets.reader()), tree.cursor().orElse(null));
    long sectors = die(piece.whole);
    if (progress.isComplete()) {
      condemned.remove(tree);
    } else {
      condemned.put(tree.after(progress.next(), sectors));
    }
    if (progress.damage() != null) {
      isStuck(tree, progress.damage());
    }
    return piece.references();
  }

  private void isStuck(Condemned tree, CorruptBlockException damage) {
    stuck.add(tree.id());
    LOG.log(Level.ERROR, "a destroyed tree cannot be freed: " + damage.getMessage(), damage);
  }

  private long die(ReferenceList references) throws IOException {
    long[] sectors = {0};
    TxgSync sync = datasets.sync();
    references.forEach(
        (sector, count, birthTxg) -> {
          sync.dies(sector, count);
          sectors[0] += count;
        });
    return sectors[0];
  }

  /** Frees some chunks of a list. */
  private int freeList(Condemned list, int references) throws IOException {
    List<Catalog.Chunk> chunks = catalog.readChunks(list.list(), references);
    int died = 0;
    long sectors = 0;
    for (Catalog.Chunk chunk : chunks) {
      sectors += die(chunk.references());
      died += chunk.references().size();
      datasets.dropChunk(chunk.key());
    }
    if (chunks.isEmpty()) {
      condemned.remove(list);
    } else {
      condemned.put(list.after(null, sectors));
    }
    return died;
  }

  private int forgetList(Condemned list, int count) throws IOException {
    List<byte[]> keys = catalog.chunkKeys(list.list(), count);
    keys.forEach(datasets::dropChunk);
    if (keys.isEmpty()) {
      condemned.remove(list);
    }
    return Math.max(1, keys.size());
  }

  /** What a walk gives, leaf by leaf: a leaf that breaks off in the middle counts for nothing. */
  private final class Piece implements NodeVisitor {
    private final long bornAfter;
    private final ReferenceList whole = new ReferenceList();
    private ReferenceList leaf = new ReferenceList();

    Piece(long bornAfter) {
      this.bornAfter = bornAfter;
    }

    int references() {
      return whole.size();
    }

    @Override
    public void item(Key key, byte[] source, int offset, int length) throws IOException {
      scanner.extents(
          key,
          Arrays.copyOfRange(source, offset, offset + length),
          (sector, sectors, birthTxg) -> {
            if (birthTxg > bornAfter) {
              leaf.add(sector, sectors, birthTxg);
            }
          });
    }

    @Override
    public void node(BlockPointer pointer, int level) throws IOException {
      leaf.forEach(whole::add);
      leaf = new ReferenceList();
      pointer.forEachPlace(whole::add);
    }
  }

  @Override
  public void published(long txg) {
    backlog = condemned.oldestFirst().stream().anyMatch(each -> !stuck.contains(each.id()));
  }

  @Override
  public boolean hasBacklog() {
    return backlog;
  }

  @Override
  public boolean isUrgent() {
    return backlog;
  }

  @Override
  public long oldestPinnedTxg() {
    return Long.MAX_VALUE;
  }
}
