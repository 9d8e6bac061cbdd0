package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Writes anywhere into a few files, a few times for each fsync. After a crash each byte has its
 * synced value, or that of one of the writes since.
 */
final class OverwriteLoad extends CrashLoad {
  private static final int FILES = 3;
  private static final int SIZE_MAX = 300_000;

  private static final class Write {
    private final int offset;
    private final byte[] data;

    Write(int offset, byte[] data) {
      this.offset = offset;
      this.data = data;
    }

    boolean put(int position, byte value) {
      return position >= offset
          && position < offset + data.length
          && data[position - offset] == value;
    }
  }

  /** What a file holds for sure, and what may have reached it since. */
  private static final class Model {
    private byte[] synced = new byte[0];
    private final List<Write> since = new ArrayList<>();

    byte[] withAllWrites() {
      byte[] content = Arrays.copyOf(synced, lengthMax());
      for (Write write : since) {
        System.arraycopy(write.data, 0, content, write.offset, write.data.length);
      }
      return content;
    }

    int lengthMax() {
      int length = synced.length;
      for (Write write : since) {
        length = Math.max(length, write.offset + write.data.length);
      }
      return length;
    }

    boolean allows(int position, byte value) {
      if ((position < synced.length ? synced[position] : 0) == value) {
        return true;
      }
      return since.stream().anyMatch(write -> write.put(position, value));
    }
  }

  private final Model[] models = new Model[FILES];

  OverwriteLoad(Path directory, long seed) throws IOException {
    super(directory, seed);
    for (int i = 0; i < FILES; i++) {
      models[i] = new Model();
      writeSynced(file(i), new byte[0]);
    }
    syncDirectory(directory);
  }

  private Path file(int number) {
    return directory.resolve("file-" + number);
  }

  @Override
  protected void step() throws IOException {
    int number = random.nextInt(FILES);
    Model model = models[number];
    try (FileChannel channel = FileChannel.open(file(number), StandardOpenOption.WRITE)) {
      for (int writes = 1 + random.nextInt(4); writes > 0; writes--) {
        byte[] data = noise(random.nextInt(10) == 0 ? 60_000 : 3_000);
        int offset = random.nextInt(Math.min(SIZE_MAX, model.lengthMax() + 5_000));
        model.since.add(new Write(offset, data));
        writeAll(channel, data, offset);
      }
      channel.force(random.nextBoolean());
    }
    model.synced = model.withAllWrites();
    model.since.clear();
  }

  @Override
  void verify(String where) throws IOException {
    for (int i = 0; i < FILES; i++) {
      Model model = models[i];
      byte[] found = Files.readAllBytes(file(i));
      String name = file(i) + ", " + where;
      assertTrue(
          found.length >= model.synced.length && found.length <= model.lengthMax(),
          () -> name + ": length " + found.length + ", synced " + model.synced.length);
      if (!Arrays.equals(found, model.synced)) {
        for (int position = 0; position < found.length; position++) {
          if (!model.allows(position, found[position])) {
            throw new AssertionError(name + ": byte " + position + " was never written so");
          }
        }
      }
      model.synced = found;
      model.since.clear();
    }
  }
}
