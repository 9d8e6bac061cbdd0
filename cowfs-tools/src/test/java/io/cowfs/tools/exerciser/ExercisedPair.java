package io.cowfs.tools.exerciser;

import static io.cowfs.tools.exerciser.ExercisedFile.CAPACITY;
import static io.cowfs.tools.exerciser.ExercisedFile.PAGE;
import static io.cowfs.tools.posix.Linux.*;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Two files, and random operations on them. Owned by one thread at a time. */
final class ExercisedPair implements AutoCloseable {
  private static final int SMALL_BYTES_MAX = 6_000;
  private static final int LARGE_BYTES_MAX = 48_000;

  /** Files that begin far out. */
  private static final long[] BASES = {0, 0, 1L << 32, 3L << 40};

  private static final int[] OPEN_FLAGS = {0, 0, 0, O_NOATIME};

  /** Each waits for the host's disk. */
  private static final int DURABLE_WRITES = 3;

  private final SplittableRandom random;
  private final List<ExercisedFile> files;

  ExercisedPair(Path directory, String name, long seed) {
    random = new SplittableRandom(seed);
    files =
        List.of(
            new ExercisedFile(directory.resolve(name + ".a"), BASES[random.nextInt(BASES.length)]),
            new ExercisedFile(directory.resolve(name + ".b"), BASES[random.nextInt(BASES.length)]));
  }

  List<ExercisedFile> files() {
    return files;
  }

  void run(int operations) {
    for (int i = 0; i < operations; i++) {
      step(files.get(random.nextInt(2)));
    }
    files.forEach(ExercisedFile::verify);
  }

  /** One operation, chosen by weight: those that need no request are the frequent ones. */
  private void step(ExercisedFile file) {
    int choice = random.nextInt(1000);
    if (choice < 290) {
      file.read(offset(), length());
    } else if (choice < 520) {
      write(file);
    } else if (choice < 670) {
      file.readMapped(offset(), length());
    } else if (choice < 820) {
      int offset = offset();
      file.writeMapped(offset, data(lengthFrom(offset)));
    } else if (choice < 860) {
      transferDirect(file);
    } else if (choice < 880) {
      file.truncate(random.nextInt(4) == 0 ? edge() : random.nextInt(CAPACITY + 1));
    } else if (choice < 920) {
      allocate(file);
    } else if (choice < 940) {
      copy(file);
    } else if (choice < 970) {
      look(file);
    } else {
      rare(file);
    }
  }

  private void write(ExercisedFile file) {
    int offset = offset();
    int kind = random.nextInt(12);
    if (kind == 0) {
      file.writeVectors(offset, data(lengthFrom(offset)));
    } else if (kind == 1 && file.size() < CAPACITY) {
      file.append(data(lengthFrom(file.size())));
    } else {
      file.write(offset, data(lengthFrom(offset)));
    }
  }

  private void transferDirect(ExercisedFile file) {
    int page = random.nextInt(CAPACITY / PAGE);
    int pages = 1 + random.nextInt(Math.min(8, CAPACITY / PAGE - page));
    if (random.nextBoolean()) {
      file.readDirect(page * PAGE, pages * PAGE);
    } else {
      file.writeDirect(page * PAGE, data(pages * PAGE));
    }
  }

  private void allocate(ExercisedFile file) {
    int offset = random.nextBoolean() ? edge() % CAPACITY : offset();
    int count = lengthFrom(offset);
    switch (random.nextInt(4)) {
      case 0, 1 -> file.punch(offset, count);
      case 2 -> file.zero(offset, count, random.nextBoolean());
      default -> file.allocate(offset, count, random.nextBoolean());
    }
  }

  private void copy(ExercisedFile target) {
    ExercisedFile source = files.get(random.nextInt(2));
    boolean aligned = random.nextBoolean();
    int from = aligned ? edge() % CAPACITY : offset();
    int to = aligned ? edge() % CAPACITY : offset();
    int count = Math.min(lengthFrom(from), lengthFrom(to));
    if (aligned && count > PAGE) {
      count -= count % PAGE;
    }
    if (source == target) {
      count = Math.min(count, Math.abs(from - to));
    }
    if (count > 0) {
      target.copyFrom(source, from, to, count);
    }
  }

  private void look(ExercisedFile file) {
    switch (random.nextInt(4)) {
      case 0 -> file.checkHoles(offset());
      case 1 -> file.readVectors(offset(), length());
      default -> file.checkSize();
    }
  }

  private void rare(ExercisedFile file) {
    int offset = edge() % CAPACITY;
    int choice = random.nextInt(100);
    if (choice < 45) {
      file.forget(offset, lengthFrom(offset));
    } else if (choice < 60) {
      file.reopen(OPEN_FLAGS[random.nextInt(OPEN_FLAGS.length)]);
    } else if (choice < 75) {
      file.unmap();
    } else if (choice < 90) {
      file.msync(offset, lengthFrom(offset), MS_ASYNC);
    } else if (choice < 93) {
      file.msync(offset, lengthFrom(offset), MS_SYNC);
    } else if (choice < 95) {
      file.sync(random.nextBoolean());
    } else if (choice < 96) {
      file.reopen(O_DSYNC);
      for (int i = 0; i < DURABLE_WRITES; i++) {
        write(file);
      }
      file.reopen(0);
    } else {
      file.verify();
    }
  }

  private int offset() {
    return random.nextInt(CAPACITY);
  }

  private int length() {
    int max = random.nextInt(16) == 0 ? LARGE_BYTES_MAX : SMALL_BYTES_MAX;
    return 1 + random.nextInt(max);
  }

  private int lengthFrom(int offset) {
    return Math.min(length(), CAPACITY - offset);
  }

  /** The beginning of a page, or close to it. */
  private int edge() {
    int at = random.nextInt(CAPACITY / PAGE) * PAGE;
    return random.nextInt(4) == 0 ? Math.max(0, at + random.nextInt(3) - 1) : at;
  }

  /** Sometimes what compresses, sometimes not, sometimes zeros. */
  private byte[] data(int count) {
    byte[] data = new byte[count];
    int kind = random.nextInt(16);
    if (kind < 5) {
      random.nextBytes(data);
    } else if (kind < 15) {
      Arrays.fill(data, (byte) random.nextInt(1, 256));
      long mark = random.nextLong();
      for (int i = 0; i < Math.min(count, 8); i++) {
        data[i] = (byte) (mark >> (8 * i));
      }
    }
    return data;
  }

  void letGo() {
    files.forEach(ExercisedFile::letGo);
  }

  void takeUp() {
    files.forEach(ExercisedFile::takeUp);
  }

  List<ExercisedFile.State> states() {
    return files.stream().map(ExercisedFile::state).toList();
  }

  void restored(List<ExercisedFile.State> states) {
    for (int i = 0; i < files.size(); i++) {
      files.get(i).restored(states.get(i));
    }
  }

  /** Compares this pair's files below another directory with states of before. */
  void verifyCopies(Path directory, List<ExercisedFile.State> states) {
    for (int i = 0; i < files.size(); i++) {
      ExercisedFile file = files.get(i);
      file.verifyCopy(directory.resolve(file.path().getFileName()), states.get(i));
    }
  }

  @Override
  public void close() {
    files.forEach(ExercisedFile::close);
  }
}
