package io.cowfs.tools.differential;

import java.util.ArrayList;
import java.util.List;

/** One run of a sequence, on both sides. Used by one thread. */
final class Run implements AutoCloseable {
  private static final int LOOK_CALLS = 12;
  private static final int CONTENT_CALLS = 24;

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

    String run(Call call) {
      Actor actor = actors.get(call.actor());
      return actor.run(() -> call.body().run(actor));
    }

    /** A new child, of this actor; the one before exits. */
    void fork(int parent) {
      actors.set(Actor.CHILD, actors.get(parent).fork());
    }

    void look(boolean withContent) {
      state = TreeState.of(directory, withContent);
    }
  }

  Run(Sequence sequence, String hostDirectory, String mountDirectory) {
    this.sequence = sequence;
    host = new Side(hostDirectory);
    mount = new Side(mountDirectory);
  }

  /** What differs first, or null. */
  String difference() {
    host.look(false);
    mount.look(false);
    String found = TreeState.difference(host.state, mount.state);
    int count = sequence.calls().size();
    for (int i = 0; i < count && found == null; i++) {
      found = step(i, i == count - 1);
      if (found != null) {
        found = "call " + i + ", " + sequence.calls().get(i) + ": " + found;
      }
    }
    return found;
  }

  private String step(int index, boolean last) {
    Call call = sequence.calls().get(index);
    if (sequence.apart()) {
      pause();
    }
    if (call.body() == CallGenerator.FORK) {
      for (Side side : List.of(host, mount)) {
        side.actors.get(Actor.CHILD).end();
        side.fork(call.actor());
      }
      return null;
    }
    String there = host.run(call);
    String here = mount.run(call);
    if (!there.equals(here)) {
      return "\n    host:  " + there + "\n    cowfs: " + here;
    }
    boolean content = last || index % CONTENT_CALLS == CONTENT_CALLS - 1;
    if (!content && !sequence.watched() && index % LOOK_CALLS != LOOK_CALLS - 1) {
      return null;
    }
    TreeState hostBefore = host.state;
    TreeState mountBefore = mount.state;
    host.look(content);
    mount.look(content);
    String found = TreeState.difference(host.state, mount.state);
    if (found == null) {
      found =
          TreeState.timeDifference(
              hostBefore, host.state, mountBefore, mount.state, sequence.apart());
    }
    return found == null ? null : "afterwards " + found;
  }

  /** The trees once more, with all content: after a remount, for example. */
  static String difference(String hostDirectory, String mountDirectory) {
    return TreeState.difference(
        TreeState.of(hostDirectory, true), TreeState.of(mountDirectory, true));
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
