package io.cowfs.tools.differential;

import io.cowfs.tools.differential.TreeState.Look;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** One run of a sequence, on both sides. Used by one thread. */
final class Run implements AutoCloseable {
  private static final int LOOK_CALLS = 15;
  private static final int CONTENT_CALLS = 45;

  /** More than a tick of the kernel's clock. */
  private static final int TICK_MS = 5;

  private final Sequence sequence;
  private final Side host;
  private final Side mount;

  /** One of the two directories, with its actors. */
  private static final class Side {
    final String directory;
    final List<Actor> actors = new ArrayList<>();
    TreeState state;

    Side(String directory) {
      this.directory = directory;
      for (int i = 0; i < Actor.CHILD; i++) {
        actors.add(Actor.start(i, directory + Differential.START));
      }
      actors.add(actors.get(0).fork());
    }

    /**
     * Has the actors make calls in turns, each giving the next one the word, and does not wait.
     *
     * @return what came out
     */
    CompletableFuture<List<String>> begin(List<Call> calls) {
      CompletableFuture<List<String>> outcomes = new CompletableFuture<>();
      continueWith(calls, new ArrayList<>(), outcomes);
      return outcomes;
    }

    private void continueWith(
        List<Call> calls, List<String> made, CompletableFuture<List<String>> outcomes) {
      if (made.size() == calls.size()) {
        outcomes.complete(made);
        return;
      }
      int speaker = calls.get(made.size()).actor();
      Actor actor = actors.get(speaker);
      actor.begin(
          () -> {
            try {
              while (made.size() < calls.size() && calls.get(made.size()).actor() == speaker) {
                made.add(calls.get(made.size()).body().run(actor));
              }
              continueWith(calls, made, outcomes);
            } catch (Throwable e) {
              outcomes.completeExceptionally(e);
            }
          });
    }

    /** A new child, of this actor; the one before exits. */
    void fork(int parent) {
      actors.set(Actor.CHILD, actors.get(parent).fork());
    }

    void look(Look how) {
      state = TreeState.of(directory, how, state);
    }
  }

  Run(Sequence sequence, String hostDirectory, String mountDirectory) {
    this.sequence = sequence;
    host = new Side(hostDirectory);
    mount = new Side(mountDirectory);
  }

  /** What differs first, or null. */
  String difference() {
    String found = look(Look.WHOLE);
    int count = sequence.calls().size();
    for (int from = 0, to; from < count && found == null; from = to) {
      to = from + 1;
      if (sequence.calls().get(from).body() == CallGenerator.FORK) {
        fork(sequence.calls().get(from).actor());
        continue;
      }
      while (to < count
          && lookAfter(to - 1) == Look.NONE
          && sequence.calls().get(to).body() != CallGenerator.FORK) {
        to++;
      }
      found = differenceOfCalls(from, to);
      if (found == null) {
        found = differenceAfter(to - 1);
      }
    }
    return found;
  }

  private Look lookAfter(int index) {
    if (index == sequence.calls().size() - 1 || index % CONTENT_CALLS == CONTENT_CALLS - 1) {
      return Look.CONTENT;
    }
    return sequence.watched() || index % LOOK_CALLS == LOOK_CALLS - 1 ? Look.CHANGED : Look.NONE;
  }

  private void fork(int parent) {
    for (Side side : List.of(host, mount)) {
      side.actors.get(Actor.CHILD).end();
      side.fork(parent);
    }
  }

  /** The calls run on both sides at a time. */
  private String differenceOfCalls(int from, int to) {
    if (sequence.apart()) {
      pause();
    }
    List<Call> calls = sequence.calls().subList(from, to);
    CompletableFuture<List<String>> there = host.begin(calls);
    CompletableFuture<List<String>> here = mount.begin(calls);
    List<String> expected = outcomes(there);
    List<String> found = outcomes(here);
    for (int i = 0; i < calls.size(); i++) {
      if (!expected.get(i).equals(found.get(i))) {
        String outcomes = "\n    host:  " + expected.get(i) + "\n    cowfs: " + found.get(i);
        return at(from + i) + outcomes;
      }
    }
    return null;
  }

  private String at(int index) {
    return "call " + index + ", " + sequence.calls().get(index) + ": ";
  }

  private static List<String> outcomes(CompletableFuture<List<String>> calls) {
    try {
      return calls.get(Actor.TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    } catch (TimeoutException e) {
      throw new IllegalStateException("a call hangs", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private String differenceAfter(int index) {
    Look how = lookAfter(index);
    if (how == Look.NONE) {
      return null;
    }
    TreeState hostBefore = host.state;
    TreeState mountBefore = mount.state;
    String found = look(how);
    if (found == null) {
      found =
          TreeState.timeDifference(
              hostBefore, host.state, mountBefore, mount.state, sequence.apart());
    }
    return found == null ? null : at(index) + "afterwards " + found;
  }

  private String look(Look how) {
    host.look(how);
    mount.look(how);
    String found = TreeState.difference(host.state, mount.state);
    // Where not all was asked for again, a change may have been missed on one side.
    return found != null && how == Look.CHANGED ? look(Look.WHOLE) : found;
  }

  /** The trees once more, with all content: after a remount, for example. */
  static String difference(String hostDirectory, String mountDirectory) {
    return TreeState.difference(
        TreeState.of(hostDirectory, Look.CONTENT, null),
        TreeState.of(mountDirectory, Look.CONTENT, null));
  }

  private static void pause() {
    try {
      Thread.sleep(TICK_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    host.actors.forEach(Actor::end);
    mount.actors.forEach(Actor::end);
  }
}
