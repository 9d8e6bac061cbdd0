package io.cowfs.tools.e2e;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * Overwrites blocks of one file in place, so that snapshots and the present share most of it. Each
 * block says which version of it it is. In any state of the dataset, each has a version that was
 * written before, and none older than what was synced before that.
 */
final class BlocksLoad extends HistoryLoad {
  private static final int BLOCKS = 256;
  private static final int BLOCK_BYTES = 4096;
  private static final String FILE = "blocks";
  private static final int UNKNOWN = -1;

  /** Which versions each block may have. */
  private final class Versions implements Expectation {
    private final List<Set<Integer>> possible;

    Versions(List<Set<Integer>> possible) {
      this.possible = possible;
    }

    Versions copy() {
      List<Set<Integer>> copies = new ArrayList<>();
      possible.forEach(versions -> copies.add(new HashSet<>(versions)));
      return new Versions(copies);
    }

    void become(int block, int version) {
      possible.set(block, new HashSet<>(Set.of(version)));
    }

    @Override
    public void check(Path root, String where) throws IOException {
      Path file = directoryIn(root).resolve(FILE);
      byte[] content = Files.readAllBytes(file);
      if (content.length != BLOCKS * BLOCK_BYTES) {
        throw new AssertionError(file + " has " + content.length + " bytes, " + where);
      }
      for (int block = 0; block < BLOCKS; block++) {
        byte[] found = Arrays.copyOfRange(content, block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
        int version = ByteBuffer.wrap(found).getInt();
        if (!possible.get(block).contains(version)
            || !Arrays.equals(found, block(block, version))) {
          throw new AssertionError(
              file
                  + ": block "
                  + block
                  + " says it is version "
                  + version
                  + ", possible was "
                  + possible.get(block)
                  + ", "
                  + where);
        }
        become(block, version);
      }
    }
  }

  /** A block was given a version. */
  private record Write(int block, int version) {}

  private final long seed;
  private final Path file;
  private final Versions present;

  /** The last version written since the last rollback. */
  private final int[] newest = new int[BLOCKS];

  private final List<Write> sinceBegin = new ArrayList<>();
  private int latest;

  BlocksLoad(Path root, String name, long seed) throws IOException {
    super(root, name, seed);
    this.seed = seed;
    this.file = directory.resolve(FILE);
    List<Set<Integer>> initial = new ArrayList<>();
    byte[] content = new byte[BLOCKS * BLOCK_BYTES];
    for (int block = 0; block < BLOCKS; block++) {
      initial.add(new HashSet<>(Set.of(0)));
      System.arraycopy(block(block, 0), 0, content, block * BLOCK_BYTES, BLOCK_BYTES);
    }
    this.present = new Versions(initial);
    writeSynced(file, content);
    syncDirectory(directory);
  }

  private byte[] block(int block, int version) {
    byte[] content = new byte[BLOCK_BYTES];
    new Random(seed + version * (long) BLOCKS + block).nextBytes(content);
    ByteBuffer.wrap(content).putInt(version);
    return content;
  }

  @Override
  protected void step() throws IOException {
    long before = now();
    List<Integer> written = new ArrayList<>();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      for (int writes = 1 + random.nextInt(16); writes > 0; writes--) {
        int block = random.nextInt(BLOCKS);
        written.add(block);
        write(channel, block);
      }
      channel.force(random.nextBoolean());
    } catch (IOException e) {
      throwUnlessRolledBackSince(before, e);
      mayBeLost(written);
      return;
    }
    synchronized (this) {
      if (isUndisturbedSince(before)) {
        for (int block = 0; block < BLOCKS; block++) {
          if (newest[block] != UNKNOWN) {
            present.become(block, newest[block]);
          }
        }
      }
    }
  }

  /**
   * Over a handle that a rollback has made stale, the kernel's cache takes writes that it is
   * refused later; the sync tells of it.
   */
  private synchronized void mayBeLost(List<Integer> written) {
    written.forEach(block -> newest[block] = UNKNOWN);
  }

  private synchronized void write(FileChannel channel, int block) throws IOException {
    int version = ++latest;
    present.possible.get(block).add(version);
    sinceBegin.add(new Write(block, version));
    writeAll(channel, block(block, version), (long) block * BLOCK_BYTES);
    newest[block] = version;
  }

  @Override
  protected void began() {
    sinceBegin.clear();
  }

  @Override
  synchronized Expectation stateSinceBegin() {
    return present.copy();
  }

  @Override
  synchronized void rolledBackTo(Expectation state) {
    List<Set<Integer>> versions = ((Versions) state).copy().possible;
    for (Write write : sinceBegin) {
      versions.get(write.block).add(write.version);
    }
    for (int block = 0; block < BLOCKS; block++) {
      present.possible.set(block, versions.get(block));
    }
    Arrays.fill(newest, UNKNOWN);
    sinceBegin.clear();
  }

  @Override
  synchronized void verify(String where) throws IOException {
    checkPresent(where);
  }

  @Override
  protected void sync() throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
  }

  @Override
  protected void checkPresent(String where) throws IOException {
    present.check(directory.getParent(), where);
    for (int block = 0; block < BLOCKS; block++) {
      newest[block] = present.possible.get(block).iterator().next();
    }
  }
}
