package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.core.device.DamagedPoolException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.lmdbjava.ByteArrayProxy;
import org.lmdbjava.CursorIterable;
import org.lmdbjava.Dbi;
import org.lmdbjava.DbiFlags;
import org.lmdbjava.Env;
import org.lmdbjava.EnvFlags;
import org.lmdbjava.Txn;

/**
 * Damages a file of LMDB, checks it, and has LMDB read all of it where it passes: what the check
 * lets pass must not end the process. An input is a list of changes, four bytes each: where, and
 * what the byte there is combined with by exclusive or.
 */
public final class IndexFileFuzz {
  private static final int CHANGE_BYTES = 4;
  private static final int DATABASES = 3;

  private static byte[] good;
  private static Path file;

  private IndexFileFuzz() {}

  /** Called by the fuzzer. */
  public static synchronized void fuzzerTestOneInput(byte[] input) throws IOException {
    if (good == null) {
      make();
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      for (int i = 0; i + CHANGE_BYTES <= input.length; i += CHANGE_BYTES) {
        int at = place(input, i);
        channel.write(ByteBuffer.wrap(new byte[] {(byte) (good[at] ^ input[i + 3])}), at);
      }
    }
    try {
      IndexPageCheck.check(file);
      readAll();
    } catch (DamagedPoolException refused) {
      assertEquals(1, refused.getMessage().lines().count());
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      for (int i = 0; i + CHANGE_BYTES <= input.length; i += CHANGE_BYTES) {
        int at = place(input, i);
        channel.write(ByteBuffer.wrap(good, at, 1), at);
      }
    }
  }

  private static int place(byte[] input, int change) {
    int number =
        (input[change] & 0xff) << 16 | (input[change + 1] & 0xff) << 8 | input[change + 2] & 0xff;
    return number % good.length;
  }

  private static void readAll() {
    try (Env<byte[]> env = open()) {
      for (byte[] name : env.getDbiNames()) {
        Dbi<byte[]> database = env.openDbi(name);
        try (Txn<byte[]> txn = env.txnRead();
            CursorIterable<byte[]> items = database.iterate(txn)) {
          items.forEach(
              item -> {
                if (database.get(txn, item.key()) == null) {
                  throw new AssertionError("an item is not found by its key");
                }
              });
        }
      }
    }
  }

  private static Env<byte[]> open() {
    return Env.create(ByteArrayProxy.PROXY_BA)
        .setMapSize(1L << 30)
        .setMaxDbs(DATABASES)
        .open(file.getParent().toFile(), EnvFlags.MDB_NOTLS);
  }

  /** A file with branch pages, overflow pages and lists of free pages. */
  private static void make() throws IOException {
    Path directory = Files.createTempDirectory("index");
    file = directory.resolve("data.mdb");
    file.toFile().deleteOnExit();
    directory.resolve("lock.mdb").toFile().deleteOnExit();
    directory.toFile().deleteOnExit();
    Random random = new Random(1);
    try (Env<byte[]> env = open()) {
      List<Dbi<byte[]>> databases = new ArrayList<>();
      for (int i = 0; i < DATABASES; i++) {
        databases.add(env.openDbi("database" + i, DbiFlags.MDB_CREATE));
      }
      for (int round = 0; round < 6; round++) {
        try (Txn<byte[]> txn = env.txnWrite()) {
          for (int i = 0; i < 60; i++) {
            byte[] key = ByteBuffer.allocate(8).putInt(random.nextInt(300)).array();
            byte[] value = new byte[i == 7 ? 9_000 : random.nextInt(700)];
            if (random.nextInt(4) == 0) {
              databases.get(i % DATABASES).delete(txn, key);
            } else {
              databases.get(i % DATABASES).put(txn, key, value);
            }
          }
          txn.commit();
        }
      }
    }
    good = Files.readAllBytes(file);
  }

  /** Inputs to begin with: one for each field of a meta page and of a page's header. */
  public static byte[][] seeds() {
    List<byte[]> seeds = new ArrayList<>();
    seeds.add(new byte[0]);
    for (int page = 0; page < 8; page++) {
      int end = page < 2 ? IndexPageFormat.META_END : IndexPageFormat.PAGE_HEADER_BYTES + 8;
      for (int at = 0; at < end; at += 2) {
        int place = page * IndexPageFormat.PAGE_BYTES_MIN + at;
        seeds.add(new byte[] {(byte) (place >> 16), (byte) (place >> 8), (byte) place, 1});
      }
    }
    return seeds.toArray(byte[][]::new);
  }
}
