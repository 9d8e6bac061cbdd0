package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.device.DamagedPoolException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lmdbjava.ByteArrayProxy;
import org.lmdbjava.CursorIterable;
import org.lmdbjava.Dbi;
import org.lmdbjava.DbiFlags;
import org.lmdbjava.Env;
import org.lmdbjava.EnvFlags;
import org.lmdbjava.KeyRange;
import org.lmdbjava.Txn;

class IndexPageCheckTest {
  private static final int PAGE = 4096;
  private static final int DATABASES = 5;

  @TempDir Path directory;

  /** Everything in the databases, in order. */
  private record Item(int database, byte[] key, byte[] value) {
    boolean isSame(Item other) {
      return database == other.database
          && Arrays.equals(key, other.key)
          && Arrays.equals(value, other.value);
    }
  }

  @Test
  void aNewEnvironmentPasses() throws IOException {
    try (Env<byte[]> env = open()) {
      assertTrue(env.info().lastPageNumber >= 1);
    }
    IndexPageCheck.check(file());
  }

  @Test
  void whatLmdbWritesPassesAfterEveryTransaction() throws IOException {
    long seed = System.nanoTime();
    System.out.println("IndexPageCheckTest.whatLmdbWrites seed " + seed);
    Random random = new Random(seed);
    int branches = 0;
    for (int round = 0; round < 60; round++) {
      write(random, 1 + random.nextInt(8), 1 + random.nextInt(round % 10 == 9 ? 5_000 : 300));
      IndexPageCheck.check(file());
      branches = Math.max(branches, (int) (Files.size(file()) / PAGE));
    }
    assertTrue(branches > 300, "a file of " + branches + " pages");
  }

  @Test
  void whatIsOnDiskWhileTransactionsRunPasses() throws IOException {
    Random random = new Random(5);
    write(random, 3, 2_000);
    try (Env<byte[]> env = open()) {
      List<Dbi<byte[]>> databases = databases(env);
      for (int round = 0; round < 20; round++) {
        try (Txn<byte[]> txn = env.txnWrite()) {
          change(databases, txn, random, 1_000);
          if (round % 3 == 0) {
            txn.abort();
          } else {
            txn.commit();
          }
        }
        Path copy = directory.resolve("copy.mdb");
        copyInAnotherProcess(copy);
        IndexPageCheck.check(copy);
      }
    }
  }

  @Test
  void aFlippedBitIsFoundOrChangesNoMoreThanContent() throws IOException {
    long seed = System.nanoTime();
    System.out.println("IndexPageCheckTest.aFlippedBit seed " + seed);
    Random random = new Random(seed);
    for (int round = 0; round < 6; round++) {
      write(random, 2, 200);
    }
    List<Item> before = read();
    byte[] good = Files.readAllBytes(file());
    int refused = 0;
    int changed = 0;
    int same = 0;
    for (int i = 0; i < 1_200; i++) {
      int at = place(random, good, i);
      put(at, good[at] ^ 1 << random.nextInt(8));
      if (isRefused()) {
        refused++;
      } else if (sameOrOneDiffers(before, read(), at)) {
        same++;
      } else {
        changed++;
      }
      put(at, good[at]);
    }
    System.out.printf(
        "refused %d, content changed %d, nothing changed %d%n", refused, changed, same);
    assertTrue(refused > 300 && changed > 30, "the damage is of all kinds");
  }

  @Test
  void damageOfWhatMattersIsAlwaysFound() throws IOException {
    Random random = new Random(11);
    for (int round = 0; round < 6; round++) {
      write(random, 2, 200);
    }
    byte[] good = Files.readAllBytes(file());
    int[] fields = {
      IndexPageFormat.META_MAGIC,
      IndexPageFormat.META_VERSION,
      IndexPageFormat.META_ADDRESS,
      IndexPageFormat.META_FREE_DATABASE + IndexPageFormat.DATABASE_ROOT,
      IndexPageFormat.META_FREE_DATABASE + IndexPageFormat.DATABASE_PAD,
      IndexPageFormat.META_FREE_DATABASE + IndexPageFormat.DATABASE_FLAGS,
      IndexPageFormat.META_MAIN_DATABASE + IndexPageFormat.DATABASE_ROOT,
      IndexPageFormat.META_MAIN_DATABASE + IndexPageFormat.DATABASE_ENTRIES,
      IndexPageFormat.META_MAIN_DATABASE + IndexPageFormat.DATABASE_DEPTH,
      IndexPageFormat.META_LAST_PAGE,
      IndexPageFormat.META_TXN
    };
    for (int page = 0; page < IndexPageFormat.META_PAGES; page++) {
      for (int field : fields) {
        for (int bit = 0; bit < 8; bit++) {
          int at = page * PAGE + field;
          put(at, good[at] ^ 1 << bit);
          assertTrue(isRefused(), "page %d field %d bit %d".formatted(page, field, bit));
          put(at, good[at]);
        }
      }
    }
  }

  @Test
  void aTruncatedFileIsRefused() throws IOException {
    write(new Random(7), 1, 3_000);
    byte[] good = Files.readAllBytes(file());
    for (int bytes : new int[] {0, 1, 100, PAGE, 2 * PAGE - 1, 2 * PAGE, good.length / 2}) {
      Files.write(file(), Arrays.copyOf(good, bytes));
      assertTrue(isRefused(), bytes + " bytes");
    }
    Files.write(file(), new byte[good.length]);
    assertTrue(isRefused(), "zeros");
    Files.write(file(), good);
    IndexPageCheck.check(file());
  }

  @Test
  void aLargeFileIsCheckedQuickly() throws IOException {
    Random random = new Random(9);
    for (int i = 0; i < 4; i++) {
      write(random, 1, 12_000, n -> 1_500);
    }
    long pages = Files.size(file()) / PAGE;
    long start = System.nanoTime();
    IndexPageCheck.check(file());
    long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
    System.out.printf("checked %d pages in %d ms%n", pages, millis);
    assertTrue(pages > 8_000, pages + " pages");
    assertTrue(millis < 5_000, millis + " ms");
  }

  private void put(int at, int value) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(file().toFile(), "rw")) {
      file.seek(at);
      file.write(value);
    }
  }

  private boolean isRefused() throws IOException {
    try {
      IndexPageCheck.check(file());
      return false;
    } catch (DamagedPoolException e) {
      assertTrue(e.getMessage().startsWith("index damaged: " + file() + ": "), e.getMessage());
      assertFalse(e.getMessage().contains("\n"));
      return true;
    }
  }

  /** Mostly places that say something, as most bytes are values. */
  private static int place(Random random, byte[] good, int i) {
    int page = random.nextInt(good.length / PAGE) * PAGE;
    return switch (i % 4) {
      case 0 -> random.nextInt(2) * PAGE + random.nextInt(IndexPageFormat.META_END);
      case 1 -> page + random.nextInt(IndexPageFormat.PAGE_HEADER_BYTES);
      case 2 -> page + IndexPageFormat.PAGE_HEADER_BYTES + random.nextInt(64);
      default -> random.nextInt(good.length);
    };
  }

  /** True when both are the same; fails when more than one item differs. */
  private static boolean sameOrOneDiffers(List<Item> before, List<Item> after, int at) {
    assertEquals(before.size(), after.size(), "items are lost by a flip at " + at);
    int different = 0;
    for (int i = 0; i < before.size(); i++) {
      different += before.get(i).isSame(after.get(i)) ? 0 : 1;
    }
    assertTrue(different <= 1, "more than one item changed by a flip at " + at);
    return different == 0;
  }

  private void write(Random random, int transactions, int changes) throws IOException {
    write(random, transactions, changes, n -> n % 40 == 0 ? random.nextInt(20_000) : n % 900);
  }

  private void write(Random random, int transactions, int changes, IntUnaryOperator valueBytes)
      throws IOException {
    try (Env<byte[]> env = open()) {
      List<Dbi<byte[]>> databases = databases(env);
      for (int i = 0; i < transactions; i++) {
        try (Txn<byte[]> txn = env.txnWrite()) {
          change(databases, txn, random, changes, valueBytes);
          txn.commit();
        }
      }
    }
  }

  private static void change(
      List<Dbi<byte[]>> databases, Txn<byte[]> txn, Random random, int changes) {
    change(databases, txn, random, changes, n -> n % 40 == 0 ? random.nextInt(20_000) : n % 900);
  }

  private static void change(
      List<Dbi<byte[]>> databases,
      Txn<byte[]> txn,
      Random random,
      int changes,
      IntUnaryOperator valueBytes) {
    boolean deleting = random.nextInt(4) == 0;
    for (int i = 0; i < changes; i++) {
      Dbi<byte[]> database = databases.get(random.nextInt(DATABASES));
      byte[] key = key(random);
      if (random.nextInt(10) < (deleting ? 8 : 2)) {
        database.delete(txn, key);
      } else {
        byte[] value = new byte[valueBytes.applyAsInt(random.nextInt(1 << 20))];
        random.nextBytes(value);
        database.put(txn, key, value);
      }
    }
  }

  private static byte[] key(Random random) {
    int number = random.nextInt(20_000);
    return number % 3 == 0
        ? ByteBuffer.allocate(4).putInt(number).array()
        : ByteBuffer.allocate(8 + number % 30).putInt(number).array();
  }

  private List<Item> read() throws IOException {
    List<Item> items = new ArrayList<>();
    try (Env<byte[]> env = open()) {
      List<Dbi<byte[]>> databases = databases(env);
      try (Txn<byte[]> txn = env.txnRead()) {
        for (int i = 0; i < DATABASES; i++) {
          try (CursorIterable<byte[]> all = databases.get(i).iterate(txn, KeyRange.all())) {
            for (CursorIterable.KeyVal<byte[]> item : all) {
              items.add(new Item(i, item.key(), item.val()));
            }
          }
        }
      }
    }
    return items;
  }

  private List<Dbi<byte[]>> databases(Env<byte[]> env) {
    List<Dbi<byte[]>> databases = new ArrayList<>();
    for (int i = 0; i < DATABASES; i++) {
      databases.add(env.openDbi("database" + i, DbiFlags.MDB_CREATE));
    }
    return databases;
  }

  private Env<byte[]> open() throws IOException {
    return Env.create(ByteArrayProxy.PROXY_BA)
        .setMapSize(1L << 30)
        .setMaxDbs(DATABASES)
        .open(directory.toFile(), EnvFlags.MDB_NOTLS);
  }

  /** Closing the file in this process would drop LMDB's locks. */
  private void copyInAnotherProcess(Path copy) throws IOException {
    Process process =
        new ProcessBuilder("cp", file().toString(), copy.toString()).inheritIO().start();
    try {
      assertEquals(0, process.waitFor());
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private Path file() {
    return directory.resolve("data.mdb");
  }
}
