package io.cowfs.tools.differential;

import static io.cowfs.tools.posix.CLibrary.C;
import static io.cowfs.tools.posix.Linux.*;

import io.cowfs.tools.e2e.Program;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** Runs sequences in new directories on both sides. Thread-safe. */
final class Differential {
  /**
   * Where the actors begin, in the directory of a run. So far down that no path leads out of it, as
   * a few {@code ..} it may have.
   */
  static final String START = "/x/y/z";

  private static final AtomicInteger LAST = new AtomicInteger();

  private final Path host;
  private final Path mount;
  private final Queue<String> finished = new ConcurrentLinkedQueue<>();

  Differential(Path host, Path mount) {
    this.host = host;
    this.mount = mount;
  }

  /**
   * What differs first, or null.
   *
   * @param kept takes the name of the directories where nothing differs, which then stay; or null
   */
  String difference(Sequence sequence, List<String> kept) {
    String name = "run" + LAST.incrementAndGet();
    String there = newDirectory(host, name);
    String here = newDirectory(mount, name);
    String found;
    try (Run run = new Run(sequence, there, here)) {
      found = run.difference();
    }
    if (found == null && kept != null) {
      kept.add(name);
    } else {
      finished.add(name);
    }
    return found;
  }

  private static String newDirectory(Path parent, String name) {
    String path = parent.resolve(name).toString();
    String top = path;
    make(top);
    for (String part : START.substring(1).split("/", -1)) {
      top += "/" + part;
      make(top);
    }
    return path;
  }

  private static void make(String path) {
    byte[] bytes = Actor.bytes(path);
    if (C.mkdirat(AT_FDCWD, bytes, 0777) < 0 || C.chmod(bytes, 0777) < 0) {
      throw new IllegalStateException("mkdir " + path);
    }
  }

  /** What differs in directories that were kept, or null. */
  String differenceOfKept(List<String> kept) {
    for (String name : kept) {
      String found = Run.difference(host.resolve(name).toString(), mount.resolve(name).toString());
      if (found != null) {
        return name + ": " + found;
      }
    }
    return null;
  }

  /** Removes the directories of all runs but those that are kept. */
  void removeFinished() throws IOException {
    List<String> names = new ArrayList<>();
    for (String name; (name = finished.poll()) != null; ) {
      names.add(name);
    }
    remove(names);
  }

  /** Names in there may be no text, so not by Java. */
  void remove(List<String> names) throws IOException {
    List<String> command = new ArrayList<>(List.of("rm", "-rf"));
    for (String name : names) {
      command.add(host.resolve(name).toString());
      command.add(mount.resolve(name).toString());
    }
    Program.succeed(Path.of("/"), command.toArray(String[]::new));
  }
}
