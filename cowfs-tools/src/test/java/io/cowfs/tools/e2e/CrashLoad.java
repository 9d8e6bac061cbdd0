package io.cowfs.tools.e2e;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import java.util.concurrent.Callable;

/**
 * Works in a directory of its own until the file system dies under it, and remembers what was
 * acknowledged: that is, what a finished fsync covers. Then it can say whether what is there after
 * the crash is allowed. One thread at a time.
 */
abstract class CrashLoad implements Callable<Void> {
  protected final Path directory;
  protected final Random random;
  private volatile boolean ending;

  protected CrashLoad(Path directory, long seed) {
    this.directory = directory;
    this.random = new Random(seed);
  }

  /** One piece of work. Throws when the file system has gone. */
  protected abstract void step() throws IOException;

  /**
   * Checks what is there after a crash, and takes it for the new state.
   *
   * @throws AssertionError when acknowledged work is lost, or there is what never was
   */
  abstract void verify(String where) throws IOException;

  /** The daemon is about to end: from now on, failures are what is expected. */
  final void expectEnd() {
    ending = true;
  }

  /** Whether a failure may be that of a daemon that has ended: what it did is not known. */
  protected final boolean isEnding() {
    return ending;
  }

  /** Works until the file system is gone. A failure before that is one of the test. */
  @Override
  public final Void call() throws IOException {
    while (true) {
      try {
        step();
      } catch (IOException | DirectoryIteratorException e) {
        if (ending) {
          // Not when it begins: then it may have been told already.
          ending = false;
          return null;
        }
        throw e;
      }
    }
  }

  static void writeAll(FileChannel channel, byte[] data, long position) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(data);
    while (buffer.hasRemaining()) {
      channel.write(buffer, position + buffer.position());
    }
  }

  /** Makes a new file with this content and waits until it is durable; its name is not yet. */
  static void writeSynced(Path file, byte[] content) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      writeAll(channel, content, 0);
      channel.force(true);
    }
  }

  static void syncDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory)) {
      channel.force(true);
    }
  }

  /** At least one byte. */
  protected final byte[] noise(int lengthMax) {
    byte[] bytes = new byte[1 + random.nextInt(lengthMax)];
    random.nextBytes(bytes);
    return bytes;
  }
}
