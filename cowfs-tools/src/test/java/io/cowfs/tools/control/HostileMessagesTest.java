package io.cowfs.tools.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.tools.target.CowfsMount;
import io.cowfs.tools.target.Target;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Damaged requests to a daemon, and answers of something that is no daemon. */
@Timeout(300)
final class HostileMessagesTest {
  private static final boolean SOAK = Boolean.getBoolean("cowfs.soak");
  private static final int REQUESTS = SOAK ? 20_000_000 : 300_000;
  private static final int ANSWERS = SOAK ? 50_000 : 1_000;

  @TempDir private Path pool;

  /** A change of length, a few changed bytes, or numbers at the edge of their type. */
  private static byte[] damaged(byte[] whole, Random random) {
    byte[] damaged =
        random.nextInt(5) == 0
            ? Arrays.copyOf(whole, random.nextInt(2 * whole.length))
            : whole.clone();
    for (int changes = random.nextInt(4); changes > 0 && damaged.length >= 4; changes--) {
      int at = random.nextInt(damaged.length - 3);
      switch (random.nextInt(3)) {
        case 0 -> damaged[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> damaged[at] = (byte) random.nextInt();
        default ->
            ByteBuffer.wrap(damaged)
                .putInt(at, random.nextBoolean() ? Integer.MAX_VALUE : -random.nextInt(3));
      }
    }
    return damaged;
  }

  @Test
  void aRequestIsReadOrRefusedInOneLine() throws IOException {
    long seed = System.nanoTime();
    System.out.println("aRequestIsReadOrRefusedInOneLine: seed " + seed);
    Random random = new Random(seed);
    Target target =
        new Target(
            pool,
            Optional.of("home/ännä"),
            Optional.of(new CowfsMount(Path.of("/mnt/x"), pool, "root")),
            Optional.of("s"));
    ByteArrayOutputStream sent = new ByteArrayOutputStream();
    new ControlRequest(List.of("list", "", "-H", "a b"), target)
        .writeTo(new DataOutputStream(sent));
    int read = 0;
    for (int i = 0; i < REQUESTS; i++) {
      byte[] bytes = damaged(sent.toByteArray(), random);
      try {
        ControlRequest request =
            ControlRequest.readFrom(new DataInputStream(new ByteArrayInputStream(bytes)), pool);
        assertTrue(!request.arguments().isEmpty());
        assertEquals(pool, request.target().pool());
        read++;
      } catch (ControlException refused) {
        assertEquals(1, refused.getMessage().lines().count());
      }
    }
    assertTrue(read > REQUESTS / 20 && read < REQUESTS, read + " were read");
  }

  /** The client comes back, with an exit code or one line. */
  @Test
  void anAnswerIsReadOrRefusedInOneLine() throws Exception {
    long seed = System.nanoTime();
    System.out.println("anAnswerIsReadOrRefusedInOneLine: seed " + seed);
    Random random = new Random(seed);
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(answer);
    out.writeInt(ControlRequest.MAGIC);
    out.writeShort(ControlRequest.VERSION);
    out.writeLong(77);
    new AnswerStream(out, Answer.STDOUT).write("some lines\n".repeat(9).getBytes());
    new AnswerStream(out, Answer.STDERR).write("cowfs: no\n".getBytes());
    out.writeByte(Answer.EXIT);
    out.writeInt(Integer.BYTES);
    out.writeInt(1);
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(pool.resolve("sock")));
      for (int i = 0; i < ANSWERS; i++) {
        byte[] bytes = damaged(answer.toByteArray(), random);
        try (ControlClient client = ControlClient.connect(pool).orElseThrow();
            SocketChannel channel = server.accept()) {
          OutputStream to = Channels.newOutputStream(channel);
          to.write(bytes);
          channel.shutdownOutput();
          client.run(
              new ControlRequest(List.of("list"), Target.ofPool(pool)),
              OutputStream.nullOutputStream(),
              OutputStream.nullOutputStream());
        } catch (IOException refused) {
          assertEquals(1, refused.getMessage().lines().count(), refused::toString);
        }
      }
    }
  }
}
