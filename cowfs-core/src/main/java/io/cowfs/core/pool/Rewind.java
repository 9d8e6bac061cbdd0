package io.cowfs.core.pool;

import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.dataset.CatalogState;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.dataset.PropertySet;
import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.scrub.NodeNames;
import io.cowfs.core.scrub.RootSurvey;
import io.cowfs.core.txg.RootRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Makes the whole of a pool, with all its datasets and snapshots, what it was at an older commit
 * that the ring of root records still has.
 *
 * <p>That state becomes a new commit, with a txg above all others, by an index that is made anew
 * from the old record and renamed into place, as {@link IndexRecovery} does it: a crash leaves
 * everything as it was, or all of it done. The records of the commits that are given up stay in the
 * ring, so that one can go there again as long as their space was not used; but no recovery takes
 * one of them while the ring has another.
 */
public final class Rewind {
  private final Path directory;
  private final UnopenedPool pool;
  private final KnownRoots roots;
  private final RootSurvey survey;

  /** Whether it is done, or only told what it would do. */
  public enum Mode {
    EXECUTE,
    DRY_RUN
  }

  /**
   * A commit that the ring knows.
   *
   * @param damage why one cannot go there; empty when everything it reaches is believed to be there
   */
  public record Commit(long txg, Instant committed, Optional<String> damage) {}

  /** What becomes of a dataset or a snapshot. */
  public enum Fate {
    /** It has not been there then. */
    LOST,
    /** It was destroyed or renamed since. */
    BACK,
    /** Its content or its properties have changed since. */
    CHANGED
  }

  /** A dataset or snapshot, as users write it, that is another one then. */
  public record Difference(Fate fate, String name) {}

  /**
   * What it did, or would do.
   *
   * @param to the commit whose state the pool has then
   * @param from the newest commit
   * @param differences by name, without checkpoints; absent when the newest state cannot be read
   * @param keptIndex the index that was in place before; null when there was none, or nothing was
   *     done
   */
  public record Result(
      Commit to, Commit from, Optional<List<Difference>> differences, Path keptIndex) {}

  private Rewind(Path directory, UnopenedPool pool, KnownRoots roots, RootSurvey survey) {
    this.directory = directory;
    this.pool = pool;
    this.roots = roots;
    this.survey = survey;
  }

  /**
   * Lists the commits from new to old, and looks whether everything is still there. The first whole
   * one is read without its data, of the others what it has not.
   *
   * @throws PoolBusyException when a process has the pool open
   */
  public static List<Commit> list(Path directory) throws IOException {
    return list(directory, Environment.HOST);
  }

  static List<Commit> list(Path directory, Environment environment) throws IOException {
    return with(directory, environment, Rewind::list);
  }

  /**
   * Goes back to a commit.
   *
   * @throws PoolBusyException when a process has the pool open
   * @throws DamagedPoolException when there is no such record, it is the newest one already, or
   *     something that it reaches is damaged or was overwritten; nothing was changed then
   */
  public static Result run(Path directory, long txg, Mode mode) throws IOException {
    return run(directory, txg, mode, Environment.HOST);
  }

  static Result run(Path directory, long txg, Mode mode, Environment environment)
      throws IOException {
    return with(directory, environment, rewind -> rewind.run(txg, mode));
  }

  private interface Work<T> {
    T run(Rewind rewind) throws IOException;
  }

  private static <T> T with(Path directory, Environment environment, Work<T> work)
      throws IOException {
    try (UnopenedPool pool = UnopenedPool.open(directory, environment);
        RootSurvey survey = new RootSurvey(pool.store(), new FileItems())) {
      return work.run(new Rewind(directory, pool, pool.roots(), survey));
    }
  }

  private List<Commit> list() throws IOException {
    List<Commit> commits = new ArrayList<>();
    for (RootRecord record : roots.records()) {
      commits.add(commit(record, damageOf(record)));
    }
    return commits;
  }

  private static Commit commit(RootRecord record, Optional<String> damage) {
    return new Commit(record.txg(), Instant.ofEpochMilli(record.timeMillis()), damage);
  }

  private Optional<String> damageOf(RootRecord record) throws IOException {
    try {
      survey.requireWhole(
          record, roots.isKept(record) ? RootSurvey.Data.KEPT : RootSurvey.Data.UNKNOWN);
      return Optional.empty();
    } catch (CorruptBlockException damage) {
      return Optional.of(damage.getMessage());
    }
  }

  private Result run(long txg, Mode mode) throws IOException {
    RootRecord to = find(txg);
    RootRecord from = roots.records().get(0);
    if (to.txg() == from.txg()) {
      throw new DamagedPoolException(
          "%s: commit %d is the newest one: there is nothing to go back to"
              .formatted(directory, txg));
    }
    // What it has in common with the newest state need not be read.
    Optional<String> damageOfNewest = damageOf(from);
    Optional<String> damage = damageOf(to);
    if (damage.isPresent()) {
      throw new DamagedPoolException(
          "%s: commit %d is not whole any more: %s".formatted(directory, txg, damage.get()));
    }
    Optional<List<Difference>> differences = differences(to, from);
    Path kept =
        mode == Mode.DRY_RUN ? null : pool.rebuildIndex(to, roots.newestTxg() + 1, "before-rewind");
    return new Result(
        commit(to, Optional.empty()), commit(from, damageOfNewest), differences, kept);
  }

  private RootRecord find(long txg) throws DamagedPoolException {
    return roots.records().stream()
        .filter(record -> record.txg() == txg)
        .findFirst()
        .orElseThrow(
            () ->
                new DamagedPoolException(
                    "%s: there is no root record of commit %d".formatted(directory, txg)));
  }

  /** Something with a name, as a commit has it. */
  private record Named(NodeRecord node, PropertySet properties) {
    boolean isSame(Named other) {
      return node.id() == other.node.id()
          && node.root().equals(other.node.root())
          && Objects.equals(properties, other.properties);
    }
  }

  private Optional<List<Difference>> differences(RootRecord then, RootRecord now)
      throws IOException {
    try {
      return Optional.of(differences(survey.directory(then), survey.directory(now)));
    } catch (CorruptBlockException unreadable) {
      return Optional.empty();
    }
  }

  private static List<Difference> differences(CatalogState then, CatalogState now) {
    SortedMap<String, Named> thenNamed = named(then);
    SortedMap<String, Named> nowNamed = named(now);
    SortedMap<String, Fate> fates = new TreeMap<>();
    nowNamed.forEach(
        (name, named) -> {
          Named before = thenNamed.get(name);
          if (before == null) {
            fates.put(name, Fate.LOST);
          } else if (!before.isSame(named)) {
            fates.put(name, Fate.CHANGED);
          }
        });
    thenNamed.keySet().stream()
        .filter(name -> !nowNamed.containsKey(name))
        .forEach(name -> fates.put(name, Fate.BACK));
    List<Difference> differences = new ArrayList<>();
    fates.forEach((name, fate) -> differences.add(new Difference(fate, name)));
    return List.copyOf(differences);
  }

  private static SortedMap<String, Named> named(CatalogState state) {
    Map<Integer, NodeRecord> nodes = new HashMap<>();
    state.nodes().forEach(node -> nodes.put(node.id(), node));
    SortedMap<String, Named> named = new TreeMap<>();
    for (NodeRecord node : state.nodes()) {
      if (node.kind() != NodeKind.CHECKPOINT && !node.name().isEmpty()) {
        named.put(NodeNames.of(node, nodes), new Named(node, state.properties().get(node.id())));
      }
    }
    return named;
  }
}
