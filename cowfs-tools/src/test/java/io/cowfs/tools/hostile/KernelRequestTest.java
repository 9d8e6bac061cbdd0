package io.cowfs.tools.hostile;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.fs.SnapshotRights;
import io.cowfs.core.pool.Pool;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.fuse.operations.Call;
import io.cowfs.fuse.operations.HandleTable;
import io.cowfs.fuse.operations.KernelCache;
import io.cowfs.fuse.operations.OperationTable;
import io.cowfs.fuse.wire.HeaderFormat;
import io.cowfs.fuse.wire.InitFormat;
import io.cowfs.fuse.wire.IoctlFormat;
import io.cowfs.fuse.wire.Opcode;
import io.cowfs.fuse.wire.Reply;
import io.cowfs.fuse.wire.Request;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Requests of a kernel that follows no rules, to the file system of a real pool: each gets one
 * well-formed answer, nothing unexpected is thrown, and the pool stays whole.
 */
final class KernelRequestTest {
  private static final boolean SOAK = Boolean.getBoolean("cowfs.soak");
  private static final int REQUESTS = SOAK ? 20_000_000 : 150_000;
  private static final int TRANSFER_BYTES = 128 << 10;

  /* Fields of struct fuse_in_header. */
  private static final int LENGTH = 0;
  private static final int OPCODE = 4;
  private static final int UNIQUE = 8;
  private static final int NODE_ID = 16;
  private static final int UID = 24;
  private static final int EXTENSION_WORDS = 36;

  /** Of these, each takes as long as the disk does. */
  private static final List<Integer> SLOW =
      List.of(Opcode.FSYNC, Opcode.FSYNCDIR, Opcode.SYNCFS, Opcode.MKDIR, Opcode.IOCTL);

  private static final List<byte[]> NAMES =
      List.of(
          name("a"),
          name("b"),
          name("c"),
          name("a-longer-name"),
          name(""),
          name("."),
          name(".."),
          name("x/y"),
          name(".cowfs"),
          name("snapshot"),
          name("n".repeat(255)),
          name("n".repeat(256)),
          name("user.a"),
          name("user."),
          name("trusted.b"),
          name("security.capability"),
          name("system.posix_acl_access"),
          name("system.posix_acl_default"),
          "no end".getBytes(US_ASCII));

  private static final long[] NUMBERS = {
    0,
    1,
    2,
    -1,
    4095,
    4096,
    4097,
    131_072,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    1L << 32,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    Long.MAX_VALUE - 4095,
    0100644,
    0040755,
    0120777,
    IoctlFormat.GET_FLAGS,
    IoctlFormat.SET_FLAGS,
    IoctlFormat.GET_ATTRIBUTES,
    IoctlFormat.SET_ATTRIBUTES,
    IoctlFormat.TRIM
  };

  /** Held, so that it keeps its handler. */
  private static final Logger LOG = Logger.getLogger(OperationTable.class.getName());

  @TempDir private Path directory;

  private final AtomicReference<LogRecord> unexpected = new AtomicReference<>();

  /** Takes what the table logs: the throwables that no operation may throw. */
  private final class Catcher extends Handler {
    @Override
    public void publish(LogRecord thrown) {
      unexpected.compareAndSet(null, thrown);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  private static final class NoCache implements KernelCache {
    @Override
    public void flush(long inode) {}

    @Override
    public void attributesChanged(long inode) {}
  }

  private static byte[] name(String text) {
    return (text + "\0").getBytes(US_ASCII);
  }

  @Test
  @Timeout(7200)
  void eachRequestIsAnsweredAndThePoolStaysWhole() throws Exception {
    long seed = System.nanoTime();
    System.out.println("KernelRequestTest: seed " + seed);
    Path pool = directory.resolve("pool");
    Pool.create(pool, new Pool.CreateOptions(128L << 20, CompressionSetting.LZ4, null));
    Catcher catcher = new Catcher();
    boolean toParents = LOG.getUseParentHandlers();
    LOG.addHandler(catcher);
    LOG.setUseParentHandlers(false);
    try (Pool opened = Pool.open(pool)) {
      ask(opened.browsableFileSystem("root", SnapshotRights.OWNER), new Random(seed));
    } finally {
      LOG.removeHandler(catcher);
      LOG.setUseParentHandlers(toParents);
    }
    assertEquals(List.of(), Pool.audit(pool));
  }

  private void ask(FileSystem fileSystem, Random random) {
    long agreed = InitFormat.WRITEBACK_CACHE | InitFormat.POSIX_ACL | InitFormat.SETXATTR_EXT;
    HandleTable handles = new HandleTable(fileSystem);
    OperationTable table = new OperationTable(fileSystem, handles, new NoCache(), agreed);
    Request request = new Request(TRANSFER_BYTES);
    Reply reply = new Reply(TRANSFER_BYTES);
    Call call = table.newCall(request);
    int answered = 0;
    int done = 0;
    for (int i = 0; i < REQUESTS; i++) {
      byte[] message = message(random, i + 1);
      if (!request.received(message)) {
        continue;
      }
      table.flushFirst(request, call);
      table.run(call, reply);
      int length = reply.finish(request.unique());
      LogRecord thrown = unexpected.get();
      if (thrown != null) {
        throw new AssertionError(
            "opcode %d: %s".formatted(request.opcode(), HexFormat.of().formatHex(message)),
            thrown.getThrown());
      }
      boolean isForget =
          request.opcode() == Opcode.FORGET
              || request.opcode() == Opcode.BATCH_FORGET
              || request.opcode() == Opcode.INTERRUPT;
      assertTrue(isForget || length >= HeaderFormat.OUT_SIZE, "opcode " + request.opcode());
      assertTrue(length <= HeaderFormat.OUT_SIZE + reply.capacity());
      assertTrue(reply.errno() >= 0 && reply.errno() < 4096, "errno " + reply.errno());
      assertTrue(reply.errno() == 0 || length <= HeaderFormat.OUT_SIZE);
      answered += length > 0 ? 1 : 0;
      done += reply.errno() == 0 ? 1 : 0;
      if (random.nextInt(50) == 0) {
        table.takeBack(reply);
      }
    }
    table.close();
    handles.releaseAll();
    System.out.printf("%d answered, %d of them done%n", answered, done);
    assertTrue(done > REQUESTS / 20, done + " requests made sense");
  }

  private static byte[] message(Random random, long unique) {
    int opcode = random.nextInt(Opcode.LIMIT);
    if (opcode == Opcode.INIT || (SLOW.contains(opcode) && random.nextInt(20) > 0)) {
      opcode = random.nextBoolean() ? Opcode.CREATE : Opcode.WRITE;
    }
    ByteBuffer message = ByteBuffer.allocate(8192).order(ByteOrder.nativeOrder());
    message.position(HeaderFormat.IN_SIZE);
    for (int fields = random.nextInt(16); fields > 0; fields--) {
      if (random.nextBoolean()) {
        message.putLong(number(random));
      } else {
        message.putInt((int) number(random));
      }
    }
    for (int names = random.nextInt(3); names > 0; names--) {
      message.put(NAMES.get(random.nextInt(NAMES.size())));
    }
    if (random.nextInt(4) == 0) {
      byte[] data = new byte[random.nextInt(5000)];
      random.nextBytes(data);
      message.put(data);
    }
    int length = random.nextInt(200) == 0 ? (int) number(random) : message.position();
    message.putInt(LENGTH, length);
    message.putInt(OPCODE, opcode);
    message.putLong(UNIQUE, unique);
    message.putLong(NODE_ID, 1 + random.nextInt(random.nextBoolean() ? 2 : 40));
    message.putInt(UID, random.nextInt(3) * 1000);
    message.putShort(EXTENSION_WORDS, (short) (random.nextInt(50) == 0 ? random.nextInt() : 0));
    byte[] sent = new byte[message.position()];
    message.get(0, sent);
    return sent;
  }

  /** Handles and inodes are small, and what is at the edge of a type is met often. */
  private static long number(Random random) {
    return switch (random.nextInt(6)) {
      case 0 -> NUMBERS[random.nextInt(NUMBERS.length)];
      case 1 -> random.nextLong();
      case 2 -> random.nextInt(1 << 20);
      case 3 -> 1L << random.nextInt(64);
      default -> random.nextInt(30);
    };
  }
}
