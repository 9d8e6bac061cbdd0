package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.tools.client.ClientRunner;
import io.cowfs.tools.command.CowfsCommand;
import io.cowfs.tools.e2e.HistoryLoad.Expectation;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Takes, destroys, clones and goes back to snapshots of a mounted dataset under load, and knows
 * which there must be and what each may hold, also when the daemon dies in the middle of an
 * operation. One operation at a time.
 *
 * <p>Commands are sent from this process, by the code of the client: so there is an operation in
 * the daemon at nearly any moment.
 */
final class SnapshotHistory {
  private static final String DATASET = "root";
  private static final String KEPT = "the state before is kept as ";
  private static final int SNAPSHOTS_MIN = 3;
  private static final int SNAPSHOTS_MAX = 7;
  private static final int CLONES_MAX = 2;

  /** An operation on the history. Throws when the daemon did not live to acknowledge it. */
  @FunctionalInterface
  interface Operation {
    void run(SnapshotHistory history) throws IOException;
  }

  /** What a state holds of each load. */
  private record Manifest(List<Expectation> expectations) {
    void check(Path root, String where) throws IOException {
      for (Expectation expectation : expectations) {
        expectation.check(root, where);
      }
    }
  }

  /**
   * An operation that was asked for.
   *
   * @param wasDone tells by the names that are there afterwards
   * @param outcome what follows for the model, given these names
   */
  private record Pending(Predicate<Set<String>> wasDone, Consumer<Set<String>> outcome) {}

  private final MountedPool mounted;
  private final Path cloneRoot;
  private final List<? extends HistoryLoad> loads;
  private final Random random;
  private final Map<String, Manifest> snapshots = new TreeMap<>();
  private final Map<String, Manifest> clones = new TreeMap<>();
  private final Map<String, Long> lastNanos = new ConcurrentHashMap<>();
  private volatile Consumer<String> listener = verb -> {};
  private volatile boolean ending;
  private Pending pending;
  private int named;

  /**
   * @param cloneRoot an empty directory where clones can be mounted
   */
  SnapshotHistory(
      MountedPool mounted, Path cloneRoot, List<? extends HistoryLoad> loads, Random random) {
    this.mounted = mounted;
    this.cloneRoot = cloneRoot;
    this.loads = loads;
    this.random = random;
  }

  /** Is told each verb right before it is sent, by the thread that sends it. From any thread. */
  void onCommand(Consumer<String> newListener) {
    listener = newListener;
  }

  /** How long the last command of this verb took, or 10 ms. From any thread. */
  long lastNanos(String verb) {
    return lastNanos.getOrDefault(verb, 10_000_000L);
  }

  /** Runs one of the operations, or what keeps the number of snapshots within limits. */
  private void step(List<Operation> operations) throws IOException {
    if (snapshots.size() < SNAPSHOTS_MIN || random.nextInt(3) == 0) {
      snapshot();
    } else {
      operations.get(random.nextInt(operations.size())).run(this);
    }
    while (snapshots.size() > SNAPSHOTS_MAX) {
      destroy();
    }
  }

  private void snapshot() throws IOException {
    String name = DATASET + "@s" + named++;
    loads.forEach(HistoryLoad::begin);
    pending =
        new Pending(
            names -> names.contains(name), names -> snapshots.put(name, manifestSinceBegin()));
    send("snapshot", name);
    acknowledged(Set.of(name));
  }

  /** Destroys a snapshot. */
  void destroy() throws IOException {
    String name = anySnapshot();
    loads.forEach(HistoryLoad::begin);
    pending = new Pending(names -> !names.contains(name), names -> snapshots.remove(name));
    send("destroy", name);
    acknowledged(Set.of());
  }

  /** Goes back to a snapshot, and compares what is there then while the load stands still. */
  void rollback() throws IOException {
    String name = anySnapshot();
    loads.forEach(HistoryLoad::beginRollback);
    pending =
        new Pending(names -> !unknown(names).isEmpty(), names -> rolledBack(name, unknown(names)));
    String answer = send("rollback", name).strip();
    if (!answer.startsWith(KEPT)) {
      throw new AssertionError("rollback says: " + answer);
    }
    acknowledged(Set.of(answer.substring(KEPT.length())));
    for (HistoryLoad load : loads) {
      load.checkNow("after a rollback to " + name);
    }
  }

  private void rolledBack(String name, Set<String> kept) {
    assertEquals(1, kept.size(), () -> "one rollback keeps one state, not " + kept);
    snapshots.put(kept.iterator().next(), manifestSinceBegin());
    Manifest manifest = snapshots.get(name);
    for (int i = 0; i < loads.size(); i++) {
      loads.get(i).rolledBackTo(manifest.expectations.get(i));
    }
  }

  /** Makes a dataset of a snapshot. */
  void cloneSnapshot() throws IOException {
    if (clones.size() == CLONES_MAX) {
      destroyClone(clones.keySet().iterator().next());
    }
    String snapshot = anySnapshot();
    String name = "clone-" + named++;
    loads.forEach(HistoryLoad::begin);
    pending =
        new Pending(
            names -> names.contains(name), names -> clones.put(name, snapshots.get(snapshot)));
    send("clone", snapshot, name);
    acknowledged(Set.of(name));
  }

  private void destroyClone(String name) throws IOException {
    loads.forEach(HistoryLoad::begin);
    pending = new Pending(names -> !names.contains(name), names -> clones.remove(name));
    send("destroy", name);
    acknowledged(Set.of());
  }

  private String anySnapshot() {
    return List.copyOf(snapshots.keySet()).get(random.nextInt(snapshots.size()));
  }

  private Set<String> unknown(Set<String> names) {
    return names.stream()
        .filter(name -> name.contains("@") && !snapshots.containsKey(name))
        .collect(Collectors.toSet());
  }

  private Manifest manifestSinceBegin() {
    return new Manifest(loads.stream().map(HistoryLoad::stateSinceBegin).toList());
  }

  private void acknowledged(Set<String> madeNames) {
    pending.outcome.accept(madeNames);
    finish();
  }

  private void finish() {
    pending = null;
    loads.forEach(HistoryLoad::end);
  }

  /** Whether an operation was asked for that has not been acknowledged. */
  boolean isInterrupted() {
    return pending != null;
  }

  /**
   * Compares everything with the model, when the pool is mounted again and no load is working.
   *
   * @return whether the operation that was interrupted was done
   */
  boolean verify(String where) throws IOException {
    Set<String> names = names();
    boolean done = pending != null && pending.wasDone.test(names);
    if (done) {
      pending.outcome.accept(names);
    }
    finish();
    Set<String> expected = new TreeSet<>(snapshots.keySet());
    expected.addAll(clones.keySet());
    expected.add(DATASET);
    assertEquals(expected, names, where);
    for (HistoryLoad load : loads) {
      load.verify("the present, " + where);
    }
    verifySnapshots(where);
    for (String clone : List.copyOf(clones.keySet())) {
      verifyClone(clone, where);
    }
    return done;
  }

  private Set<String> names() throws IOException {
    return send("list", "-H", "")
        .lines()
        .map(line -> line.split("\t", -1)[0])
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Goes to each and then back to the present. */
  private void verifySnapshots(String where) throws IOException {
    List<String> kept = new ArrayList<>();
    for (Map.Entry<String, Manifest> snapshot : snapshots.entrySet()) {
      kept.add(rollbackUnderNoLoad(snapshot.getKey()));
      snapshot.getValue().check(mounted.root(), snapshot.getKey() + ", " + where);
    }
    kept.add(rollbackUnderNoLoad(kept.get(0)));
    for (HistoryLoad load : loads) {
      load.checkNow("back in the present, " + where);
    }
    for (String name : kept) {
      send("destroy", name);
    }
  }

  private String rollbackUnderNoLoad(String name) throws IOException {
    return send("rollback", name).strip().substring(KEPT.length());
  }

  private void verifyClone(String name, String where) throws IOException {
    mounted.succeed("mount", mounted.pool() + "/" + name, cloneRoot.toString());
    try {
      clones.get(name).check(cloneRoot, name + ", " + where);
    } finally {
      mounted.succeed("umount", cloneRoot.toString());
    }
    send("destroy", name);
    clones.remove(name);
  }

  /** The daemon is about to be killed: from now on, failures are what is expected. */
  void expectEnd() {
    ending = true;
  }

  /** Works until the daemon is gone. A failure before that is one of the test. */
  void runUntilEnd(List<Operation> operations) throws IOException {
    ending = false;
    while (!ending) {
      try {
        step(operations);
      } catch (IOException e) {
        if (!ending) {
          throw e;
        }
      }
      if (isInterrupted()) {
        return;
      }
    }
  }

  /**
   * Runs a command on names of this pool.
   *
   * @return what it prints
   * @throws IOException when it failed and the daemon may be the reason
   */
  private String send(String verb, String... names) throws IOException {
    List<String> list = new ArrayList<>(List.of(verb));
    for (String name : names) {
      list.add(name.startsWith("-") ? name : mounted.pool() + "/" + name);
    }
    String[] arguments = list.toArray(String[]::new);
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    ByteArrayOutputStream complaint = new ByteArrayOutputStream();
    ClientRunner runner = new ClientRunner(Path.of("/"), printed, complaint);
    listener.accept(verb);
    long start = System.nanoTime();
    int code =
        takesOnlySnapshots(verb)
            ? runHereOrInDaemon(runner, arguments, printed, complaint)
            : forward(runner, arguments);
    if (code != 0) {
      throw new IOException(
          list + ": exit " + code + ": " + complaint.toString(StandardCharsets.UTF_8));
    }
    lastNanos.put(verb, System.nanoTime() - start);
    return printed.toString(StandardCharsets.UTF_8);
  }

  /**
   * A command that finds no daemon opens the pool itself. It must not where the present matters:
   * that would be what a crash left, and not what the loads know.
   */
  private static boolean takesOnlySnapshots(String verb) {
    return verb.equals("clone");
  }

  private static int runHereOrInDaemon(
      ClientRunner runner, String[] arguments, OutputStream out, OutputStream err) {
    return CowfsCommand.run(
        arguments,
        runner,
        new PrintWriter(out, false, StandardCharsets.UTF_8),
        new PrintWriter(err, false, StandardCharsets.UTF_8));
  }

  /**
   * To the first flush after a rollback under load, the kernel may report pages that it could not
   * write because their file was rolled back. It reports them once, and nothing was asked of the
   * daemon yet.
   */
  private static int forward(ClientRunner runner, String[] arguments) throws IOException {
    OptionalInt code;
    try {
      code = runner.forward(arguments);
    } catch (IOException e) {
      String message = String.valueOf(e.getMessage());
      if (!message.contains("cannot flush it") || !message.contains("Stale file handle")) {
        throw e;
      }
      code = runner.forward(arguments);
    }
    return code.orElseThrow(() -> new IOException("no daemon for " + String.join(" ", arguments)));
  }
}
