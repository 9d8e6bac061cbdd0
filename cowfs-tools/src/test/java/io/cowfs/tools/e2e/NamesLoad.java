package io.cowfs.tools.e2e;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * Gives a few names new values, one after the other: a symbolic link that carries the value, a
 * document that is synced and renamed to its place, or nothing. Each is one atomic step, so any
 * state of the dataset holds the steps up to some moment, and no later one.
 */
final class NamesLoad extends HistoryLoad {
  private static final int NAMES = 8;
  private static final int ABSENT = 0;
  private static final String TEMPORARY = "temporary-";
  private static final int DOCUMENT_BYTES_MAX = 20_000;

  /** A name was given a value. */
  private record Step(int name, int value) {
    List<Integer> after(List<Integer> values) {
      List<Integer> changed = new ArrayList<>(values);
      changed.set(name, value);
      return List.copyOf(changed);
    }
  }

  /** Any of the bases, followed by at least so many of the steps. */
  private final class Steps implements Expectation {
    private final Set<List<Integer>> bases = new LinkedHashSet<>();
    private final List<Step> steps = new ArrayList<>();
    private int stepsMin;

    Steps(Set<List<Integer>> bases) {
      this.bases.addAll(bases);
    }

    Set<List<Integer>> possible() {
      Set<List<Integer>> possible = new LinkedHashSet<>();
      for (List<Integer> base : bases) {
        List<Integer> values = base;
        for (int i = 0; i <= steps.size(); i++) {
          if (i > 0) {
            values = steps.get(i - 1).after(values);
          }
          if (i >= stepsMin) {
            possible.add(values);
          }
        }
      }
      return possible;
    }

    void becomes(Set<List<Integer>> values) {
      bases.clear();
      bases.addAll(values);
      steps.clear();
      stepsMin = 0;
    }

    @Override
    public void check(Path root, String where) throws IOException {
      List<Integer> found = read(directoryIn(root), where);
      Set<List<Integer>> possible = possible();
      if (!possible.contains(found)) {
        throw new AssertionError(
            directoryIn(root) + " has " + found + ", possible was " + possible + ", " + where);
      }
      becomes(Set.of(found));
    }
  }

  private final long seed;
  private final Steps present = new Steps(Set.of(Collections.nCopies(NAMES, ABSENT)));
  private int latest;
  private int stepsAtBegin;

  NamesLoad(Path root, String name, long seed) throws IOException {
    super(root, name, seed);
    this.seed = seed;
  }

  private Path path(int name) {
    return path(directory, name);
  }

  private static Path path(Path directory, int name) {
    return directory.resolve("name-" + name);
  }

  private byte[] document(int value) {
    Random source = new Random(seed + value);
    byte[] noise = new byte[source.nextInt(DOCUMENT_BYTES_MAX)];
    source.nextBytes(noise);
    return ByteBuffer.allocate(Integer.BYTES + noise.length).putInt(value).put(noise).array();
  }

  @Override
  protected void step() throws IOException {
    int name = random.nextInt(NAMES);
    int value = ++latest;
    // Not as fast as can be: what is possible after a rollback is written down step by step.
    MountedPool.pause(1);
    switch (random.nextInt(10)) {
      case 0 -> replaceByDocument(name, value);
      case 1 -> syncAll();
      default -> linkOrRemove(name, value);
    }
  }

  private synchronized void linkOrRemove(int name, int value) throws IOException {
    Path path = path(name);
    boolean there = typeOf(path) != Type.ABSENT;
    take(
        new Step(name, there ? ABSENT : value),
        () -> {
          if (there) {
            Files.delete(path);
          } else {
            Files.createSymbolicLink(path, Path.of(Integer.toString(value)));
          }
        });
  }

  private void replaceByDocument(int name, int value) throws IOException {
    Path temporary = directory.resolve(TEMPORARY + value);
    long before = now();
    try {
      writeSynced(temporary, document(value));
    } catch (IOException e) {
      throwUnlessRolledBackSince(before, e);
      return;
    }
    synchronized (this) {
      // A rollback to the middle of this would bring back a document in the middle of being made.
      if (isUndisturbedSince(before)) {
        take(
            new Step(name, value),
            () -> Files.move(temporary, path(name), StandardCopyOption.ATOMIC_MOVE));
      }
    }
  }

  private void syncAll() throws IOException {
    long before = now();
    try {
      sync();
    } catch (IOException e) {
      throwUnlessRolledBackSince(before, e);
      return;
    }
    synchronized (this) {
      if (isUndisturbedSince(before)) {
        present.stepsMin = present.steps.size();
        present.becomes(present.possible());
      }
    }
  }

  /** The work of a step. */
  private interface Change {
    void run() throws IOException;
  }

  /** The caller holds the monitor. */
  private void take(Step step, Change change) throws IOException {
    long before = now();
    present.steps.add(step);
    try {
      change.run();
    } catch (IOException e) {
      throwUnlessRolledBackSince(before, e);
      // What was there a moment ago has been rolled back: refused, nothing was changed.
      present.steps.remove(present.steps.size() - 1);
    }
  }

  @Override
  protected void began() {
    stepsAtBegin = present.steps.size();
  }

  @Override
  synchronized Expectation stateSinceBegin() {
    Steps state = new Steps(present.bases);
    state.steps.addAll(present.steps);
    state.stepsMin = stepsAtBegin;
    return state;
  }

  @Override
  synchronized void rolledBackTo(Expectation state) {
    List<Step> since = List.copyOf(present.steps.subList(stepsAtBegin, present.steps.size()));
    Set<List<Integer>> possible = new LinkedHashSet<>();
    for (int first = 0; first <= since.size(); first++) {
      Steps after = new Steps(((Steps) state).possible());
      after.steps.addAll(since.subList(first, since.size()));
      possible.addAll(after.possible());
    }
    present.becomes(possible);
    stepsAtBegin = 0;
  }

  @Override
  protected void sync() throws IOException {
    syncDirectory(directory);
  }

  @Override
  protected void checkPresent(String where) throws IOException {
    present.check(directory.getParent(), where);
  }

  @Override
  synchronized void verify(String where) throws IOException {
    checkPresent(where);
    try (var files = Files.newDirectoryStream(directory, TEMPORARY + "*")) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
  }

  private List<Integer> read(Path directory, String where) throws IOException {
    List<Integer> values = new ArrayList<>();
    for (int name = 0; name < NAMES; name++) {
      Path path = path(directory, name);
      values.add(
          switch (typeOf(path)) {
            case LINK -> Integer.valueOf(Files.readSymbolicLink(path).toString());
            case DOCUMENT -> readDocument(path, where);
            case ABSENT -> ABSENT;
          });
    }
    return values;
  }

  private enum Type {
    LINK,
    DOCUMENT,
    ABSENT
  }

  /** Unlike {@link Files#exists}, fails when a file system has gone. */
  private static Type typeOf(Path path) throws IOException {
    try {
      return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
              .isSymbolicLink()
          ? Type.LINK
          : Type.DOCUMENT;
    } catch (NoSuchFileException e) {
      return Type.ABSENT;
    }
  }

  private int readDocument(Path path, String where) throws IOException {
    byte[] content = Files.readAllBytes(path);
    int value = content.length < Integer.BYTES ? ABSENT : ByteBuffer.wrap(content).getInt();
    if (!Arrays.equals(content, document(value))) {
      throw new AssertionError(path + " is not the document it says it is, " + where);
    }
    return value;
  }
}
