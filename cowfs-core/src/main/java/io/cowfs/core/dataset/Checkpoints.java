package io.cowfs.core.dataset;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Keeps roots as they are committed, for some time: as {@link NodeKind#CHECKPOINT} nodes of the
 * history, which cost what a snapshot costs. Nothing is committed for their sake.
 *
 * <p>Together they hold at most a share of the pool for themselves. Where space is short they go
 * first, the oldest of all datasets before the others. Held ones stay.
 *
 * <p>Owned by the sync thread, but for the requests that say otherwise.
 */
public final class Checkpoints {
  /** What all checkpoints may hold for themselves: a tenth of what there is. */
  private static final int POOL_SHARE = 10;

  /** Of those there are, this part goes at once when there must be fewer. */
  private static final int PART_TO_DROP = 4;

  /** How often it is looked whether the share is kept. */
  private static final Duration LOOK_INTERVAL = Duration.ofSeconds(10);

  /** A pool to which nothing is written commits so often, as long as it has checkpoints. */
  private static final Duration IDLE_INTERVAL = Duration.ofMinutes(1);

  private final History history;
  private final Map<Integer, Instant> newest = new HashMap<>();
  private volatile boolean enabled;
  private volatile boolean spaceIsShort;
  private volatile boolean mayGiveWay;
  private volatile LongSupplier capacitySectors = () -> Long.MAX_VALUE;

  private Instant lastLook = Instant.EPOCH;
  private volatile Instant lastKept = Instant.EPOCH;

  Checkpoints(History history) {
    this.history = history;
    for (DatasetNode node : history.checkpoints()) {
      newest.put(node.dataset, node.created);
    }
    mayGiveWay = mayAnyGo();
  }

  /**
   * Keeps checkpoints from now on. Any thread.
   *
   * @param capacity what the pool can hold, in sectors: they may have a share of it
   */
  public void enable(LongSupplier capacity) {
    capacitySectors = capacity;
    enabled = true;
  }

  /**
   * Has the next commit drop some of them because a writer needs their space. Any thread.
   *
   * @return false when there are none that may go
   */
  public boolean giveWay() {
    if (!mayGiveWay) {
      return false;
    }
    spaceIsShort = true;
    return true;
  }

  /**
   * Whether a commit is to be made for their sake, because there was none for a while: some may be
   * too old, or hold too much. Any thread.
   */
  public boolean isCommitDue(Instant now) {
    return mayGiveWay && Duration.between(lastKept, now).abs().compareTo(IDLE_INTERVAL) >= 0;
  }

  /**
   * Sync thread, after the tasks of a txg.
   *
   * @param changed the heads with another root in this txg
   */
  void keep(Collection<DatasetHead> heads, List<DatasetHead> changed, long txg, Instant now)
      throws IOException {
    if (enabled && !spaceIsShort) {
      for (DatasetHead head : changed) {
        take(head, txg, now);
      }
    }
    for (DatasetHead head : heads) {
      thin(head, now);
    }
    if (spaceIsShort) {
      spaceIsShort = false;
      dropOldest();
    } else if (Duration.between(lastLook, now).abs().compareTo(LOOK_INTERVAL) >= 0) {
      lastLook = now;
      while (mayAnyGo() && isOverShare()) {
        dropOldest();
      }
    }
    lastKept = now;
    mayGiveWay = mayAnyGo();
  }

  private boolean mayAnyGo() {
    return history.checkpoints().stream().anyMatch(Checkpoints::mayGo);
  }

  private void take(DatasetHead head, long txg, Instant now) {
    Optional<Instant> last = Optional.ofNullable(newest.get(head.id()));
    // A snapshot that a task of this txg took has the same root.
    if (!head.settings().checkpoints().isDue(now, last)
        || DatasetNode.txgOf(head.node().parent) == txg) {
      return;
    }
    String name =
        CheckpointPolicy.checkpointName(now, taken -> history.snapshot(head.id(), taken) != null);
    history.snapshot(head.node(), NodeKind.CHECKPOINT, name, txg, now);
    newest.put(head.id(), now);
  }

  private void thin(DatasetHead head, Instant now) throws IOException {
    List<DatasetNode> checkpoints = history.checkpoints(head.id());
    if (!checkpoints.isEmpty()) {
      drop(head.settings().checkpoints().surplus(checkpoints, node -> node.created, now));
    }
  }

  private boolean isOverShare() throws IOException {
    long[] sectors = {0};
    History trial = history.trial(condemned -> sectors[0] += condemned.sectors());
    for (DatasetNode checkpoint : history.checkpoints()) {
      trial.destroySnapshot(trial.node(checkpoint.id));
    }
    return sectors[0] > capacitySectors.getAsLong() / POOL_SHARE;
  }

  private void dropOldest() throws IOException {
    List<DatasetNode> unheld = history.checkpoints().stream().filter(Checkpoints::mayGo).toList();
    drop(unheld.subList(0, (unheld.size() + PART_TO_DROP - 1) / PART_TO_DROP));
  }

  private void drop(List<DatasetNode> checkpoints) throws IOException {
    for (DatasetNode checkpoint : checkpoints) {
      if (mayGo(checkpoint)) {
        history.destroySnapshot(checkpoint);
      }
    }
  }

  private static boolean mayGo(DatasetNode checkpoint) {
    return checkpoint.properties.holds().isEmpty();
  }
}
