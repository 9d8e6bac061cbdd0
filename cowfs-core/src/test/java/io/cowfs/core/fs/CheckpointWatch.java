package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.core.fs.PoolState.Checkpoint;
import io.cowfs.core.pool.TestPool;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Looks after each commit at the checkpoints of a pool: which there should be, and what they should
 * contain. All datasets keep them by the same {@link #POLICY}. Confined to one thread.
 */
final class CheckpointWatch {
  static final String POLICY = "2s:20s 20s:3m";
  private static final List<Window> WINDOWS = List.of(new Window(2, 20), new Window(20, 180));

  /** One more than there are slots, in each window. */
  private static final int MAX = 20 / 2 + 1 + (180 - 20) / 20 + 1;

  /** Of the pool: what they may hold for themselves. */
  private static final int SHARE = 10;

  private final TestPool pool;
  private final SteadyClock clock;
  private final Predicate<String> isHeld;
  private TreeMap<String, Checkpoint> known = new TreeMap<>();

  /** When each dataset got its last one. */
  private final Map<String, Instant> lastTaken = new HashMap<>();

  /** The datasets of the last look. */
  private final Set<String> heads = new HashSet<>();

  private final Set<String> mayGo = new HashSet<>();
  private boolean spaceIsShort;
  private long txg;

  /** What was committed since the last look was committed at this time or later. */
  private Instant since;

  private record Window(long intervalSeconds, long ageSeconds) {
    long slot(Instant time) {
      return Math.floorDiv(time.getEpochSecond(), intervalSeconds);
    }
  }

  /**
   * @param isHeld whether a checkpoint must stay, by its full name
   */
  CheckpointWatch(TestPool pool, SteadyClock clock, Predicate<String> isHeld) {
    this.pool = pool;
    this.clock = clock;
    this.isHeld = isHeld;
    since = clock.now();
    found(List.of());
  }

  /** As of the last look. */
  TreeMap<String, Checkpoint> known() {
    return new TreeMap<>(known);
  }

  /** Turns the clock; everything was committed before. */
  void turn(Duration by) {
    look(List.of());
    clock.turn(by);
    since = clock.now();
  }

  /** One is going to be destroyed, or to become a snapshot. */
  void mayGo(String fullName) {
    mayGo.add(fullName);
  }

  /** Until the pool is opened again, they may go because space is needed. */
  void spaceIsShort() {
    spaceIsShort = true;
  }

  /**
   * To be called when nothing commits.
   *
   * @param state what a commit has, if there was one since the last look; null when not known
   */
  void look(PoolState state) {
    boolean single = pool.pool().status().txg() == txg + 1;
    look(single && state != null ? List.of(state) : List.of());
  }

  /**
   * To be called when nothing commits.
   *
   * @param states each commit since the last look has one of these; empty when not known
   */
  void look(List<PoolState> states) {
    long now = pool.pool().status().txg();
    if (now == txg) {
      return;
    }
    boolean single = now == txg + 1;
    List<DatasetInfo> list = pool.pool().list();
    TreeMap<String, Checkpoint> before = known;
    known = new TreeMap<>();
    for (DatasetInfo info : list) {
      if (info.kind() == NodeKind.CHECKPOINT) {
        add(info, before, contents(info, states));
      }
    }
    judge(list, before);
    requireThinned(list);
    for (DatasetInfo info : list) {
      if (single && info.kind() == NodeKind.HEAD && heads.contains(info.dataset())) {
        judgeTaken(info, list, now);
      }
    }
    for (DatasetInfo info : list) {
      if (info.kind() == NodeKind.CHECKPOINT && info.txg() > txg) {
        lastTaken.put(info.dataset(), info.created());
      }
    }
    looked(list);
  }

  /** The pool was put back to what it was at this time, and opened. */
  void putBack(PoolState state) {
    known = new TreeMap<>(state.checkpoints());
    found(List.of(state));
  }

  private void looked(List<DatasetInfo> list) {
    heads.clear();
    list.forEach(info -> heads.add(info.dataset()));
    txg = pool.pool().status().txg();
    since = clock.now();
  }

  /**
   * The pool was opened again.
   *
   * @param candidates what commits may have had that nobody has seen since
   */
  void found(List<PoolState> candidates) {
    List<DatasetInfo> list = pool.pool().list();
    TreeMap<String, Checkpoint> before = known;
    known = new TreeMap<>();
    lastTaken.clear();
    for (DatasetInfo info : list) {
      if (info.kind() == NodeKind.CHECKPOINT) {
        add(info, before, contents(info, candidates));
        lastTaken.put(info.dataset(), info.created());
      }
    }
    judge(list, before);
    mayGo.clear();
    spaceIsShort = false;
    looked(list);
  }

  private static List<Model> contents(DatasetInfo checkpoint, List<PoolState> states) {
    List<Model> contents = new ArrayList<>();
    for (PoolState state : states) {
      Model model = state.datasets().get(checkpoint.dataset());
      if (model != null) {
        contents.add(model.copy());
      }
    }
    return contents;
  }

  private void add(DatasetInfo info, Map<String, Checkpoint> before, List<Model> contents) {
    Checkpoint there = before.get(info.fullName());
    boolean isSame = there != null && there.info().txg() == info.txg();
    known.put(info.fullName(), isSame ? there : new Checkpoint(info, contents));
  }

  /** Those that were let go had to be. */
  private void judge(List<DatasetInfo> list, Map<String, Checkpoint> before) {
    boolean mayGiveWay = spaceIsShort || isFull();
    for (DatasetInfo head : list) {
      if (head.kind() != NodeKind.HEAD) {
        continue;
      }
      TreeMap<String, DatasetInfo> all = new TreeMap<>();
      before.values().forEach(each -> all.put(each.info().fullName(), each.info()));
      known.values().forEach(each -> all.put(each.info().fullName(), each.info()));
      List<DatasetInfo> ordered =
          all.values().stream()
              .filter(each -> each.dataset().equals(head.dataset()))
              .sorted(Comparator.comparingLong(DatasetInfo::txg))
              .toList();
      Set<String> surplus = surplus(ordered, since);
      surplus.addAll(surplus(ordered, clock.now()));
      for (DatasetInfo each : ordered) {
        String name = each.fullName();
        assertTrue(
            known.containsKey(name) || !isHeld.test(name), () -> name + " has gone and was held");
        assertTrue(
            known.containsKey(name) || mayGiveWay || mayGo.contains(name) || surplus.contains(name),
            () -> name + " has gone at " + clock.now() + " of " + ordered);
      }
    }
  }

  /** None stays that has to go; there was a commit since the last look. */
  private void requireThinned(List<DatasetInfo> list) {
    for (DatasetInfo head : list) {
      List<DatasetInfo> there =
          list.stream()
              .filter(each -> each.kind() == NodeKind.CHECKPOINT)
              .filter(each -> each.dataset().equals(head.dataset()))
              .toList();
      if (head.kind() == NodeKind.HEAD && !there.isEmpty()) {
        Set<String> surplus = surplus(there, since);
        surplus.retainAll(surplus(there, clock.now()));
        surplus.removeIf(isHeld);
        assertEquals(Set.of(), surplus, () -> "still there at " + clock.now() + " of " + there);
      }
    }
  }

  /** They may hold too much: what they hold is less than what everything holds. */
  private boolean isFull() {
    return pool.pool().status().allocatedBytes() > pool.pool().status().capacityBytes() / SHARE;
  }

  /** In each window the first of a slot stays, and no more than there may be. */
  private static Set<String> surplus(List<DatasetInfo> checkpoints, Instant now) {
    Set<String> surplus = new HashSet<>();
    List<DatasetInfo> kept = new ArrayList<>();
    for (DatasetInfo each : checkpoints) {
      Duration age = Duration.between(each.created(), now);
      Window window =
          WINDOWS.stream()
              .filter(it -> age.compareTo(Duration.ofSeconds(it.ageSeconds())) <= 0)
              .findFirst()
              .orElse(null);
      DatasetInfo last = kept.isEmpty() ? null : kept.get(kept.size() - 1);
      boolean isFirst =
          window != null
              && (last == null || window.slot(last.created()) != window.slot(each.created()));
      if (isFirst) {
        kept.add(each);
      } else {
        surplus.add(each.fullName());
      }
    }
    for (int i = 0; i < kept.size() - MAX; i++) {
      surplus.add(kept.get(i).fullName());
    }
    return surplus;
  }

  /** A commit that changed a dataset is one of its checkpoints where that was due, only there. */
  private void judgeTaken(DatasetInfo head, List<DatasetInfo> list, long committed) {
    boolean isSnapshot = false;
    boolean isCheckpoint = false;
    for (DatasetInfo info : list) {
      if (info.dataset().equals(head.dataset()) && info.txg() == committed) {
        isSnapshot |= info.kind() == NodeKind.SNAPSHOT;
        isCheckpoint |= info.kind() == NodeKind.CHECKPOINT;
      }
    }
    Instant last = lastTaken.get(head.dataset());
    Window window = WINDOWS.get(0);
    long slot = last == null ? Long.MIN_VALUE : window.slot(last);
    boolean isDue = slot != window.slot(since) && slot != window.slot(clock.now());
    boolean mayBeDue = slot != window.slot(since) || slot != window.slot(clock.now());
    String what = head + " after " + last + " at " + clock.now();
    assertTrue(mayBeDue || !isCheckpoint, () -> "a checkpoint that was not due: " + what);
    if (isDue && head.txg() == committed && !isSnapshot && !spaceIsShort) {
      assertTrue(isCheckpoint, () -> "no checkpoint: " + what);
    }
  }
}
