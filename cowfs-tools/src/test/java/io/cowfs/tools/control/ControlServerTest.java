package io.cowfs.tools.control;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.tools.target.CowfsMount;
import io.cowfs.tools.target.Target;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ControlServerTest {
  private static final Duration REQUEST_TIMEOUT = Duration.ofMillis(500);

  /** Held, so that its level lasts: what is refused here need not fill the test's log. */
  private static final Logger LOG = Logger.getLogger(ControlServer.class.getName());

  @TempDir private Path pool;
  private ControlServer server;

  @BeforeAll
  static void quieten() {
    LOG.setLevel(Level.SEVERE);
  }

  @BeforeEach
  void start() throws IOException {
    server = ControlServer.start(pool, ControlServerTest::echo, REQUEST_TIMEOUT);
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
  }

  /**
   * Prints the request; "fail" fails, "silent" says nothing, "closing" is refused, "much" prints
   * much.
   */
  private static int echo(ControlRequest request, OutputStream out, OutputStream err)
      throws DaemonClosingException {
    try {
      switch (request.arguments().get(0)) {
        case "fail" -> {
          err.write("no\n".getBytes(StandardCharsets.UTF_8));
          return 1;
        }
        case "silent" -> {
          return 1;
        }
        case "closing" -> throw new DaemonClosingException();
        case "much" -> out.write(new byte[1 << 20]);
        default -> out.write(request.toString().getBytes(StandardCharsets.UTF_8));
      }
      return 0;
    } catch (DaemonClosingException e) {
      throw e;
    } catch (IOException e) {
      return 9;
    }
  }

  private record Answered(int code, String out, String err) {}

  private Answered run(ControlRequest request) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    try (ControlClient client = ControlClient.connect(pool).orElseThrow()) {
      int code = client.run(request, out, err);
      assertEquals(ProcessHandle.current().pid(), client.daemonPid());
      return new Answered(
          code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }
  }

  private ControlRequest request(String... arguments) {
    return new ControlRequest(List.of(arguments), Target.ofPool(pool));
  }

  @Test
  void aRefusalIsNeverBlank() {
    IOException e = assertThrows(IOException.class, () -> run(request("silent")));
    assertTrue(e.getMessage().contains("without a word"), e.getMessage());
  }

  @Test
  void requestArrivesAsItWasSent() throws IOException {
    Target target =
        new Target(
            pool,
            Optional.of("home/ännä"),
            Optional.of(new CowfsMount(Path.of("/mnt/x"), pool, "root")),
            Optional.of("s"));
    ControlRequest sent = new ControlRequest(List.of("list", "", "-H", "a b\n"), target);
    assertEquals(new Answered(0, sent.toString(), ""), run(sent));
  }

  @Test
  void exitCodeAndErrorsComeBack() throws IOException {
    assertEquals(new Answered(1, "", "no\n"), run(request("fail")));
  }

  @Test
  void longOutputComesBackWhole() throws IOException {
    assertEquals(1 << 20, run(request("much")).out().length());
  }

  @Test
  void endingDaemonIsToldApart() {
    assertThrows(DaemonClosingException.class, () -> run(request("closing")));
  }

  @Test
  void manyClientsAreServedAtOnce() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(100);
    try {
      List<Future<Answered>> answers = new ArrayList<>();
      for (int i = 0; i < 400; i++) {
        ControlRequest request = request("list", Integer.toString(i));
        answers.add(threads.submit(() -> run(request)));
      }
      for (int i = 0; i < answers.size(); i++) {
        String expected = request("list", Integer.toString(i)).toString();
        assertEquals(new Answered(0, expected, ""), answers.get(i).get());
      }
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void socketIsPrivateAndGoesWithTheServer() throws IOException {
    Path socket = pool.resolve("sock");
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)));
    server.close();
    assertFalse(Files.exists(socket));
    assertTrue(ControlClient.connect(pool).isEmpty());
  }

  /** The modes keep others out; where they do not, the daemon asks the kernel who it is. */
  @Test
  @EnabledIf("isRoot")
  void whoeverIsNeitherRootNorTheOwnerIsRefused() throws Exception {
    Files.setPosixFilePermissions(pool, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path socket = pool.resolve("sock");
    Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw-rw-"));
    byte[] list = valid();
    String refused = answerTo("nobody", socket, list);
    assertTrue(refused.contains("permission denied to user nobody"), refused);
    assertFalse(refused.contains("ControlRequest"), refused);
    String served = answerTo("root", socket, list);
    assertTrue(served.contains("ControlRequest"), served);
    assertStillServing();
  }

  static boolean isRoot() {
    return System.getProperty("user.name").equals("root");
  }

  /** What a process of another user gets back; one that may not use what is in root's path. */
  private static String answerTo(String user, Path socket, byte[] request) throws Exception {
    String client =
        "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n"
            + "try: s.sendall(bytes.fromhex(sys.argv[2])); s.shutdown(socket.SHUT_WR)\n"
            + "except OSError: pass\n"
            + "got=b'x'\nwhile got:\n  try: got=s.recv(65536)\n"
            + "  except ConnectionResetError: break\n  sys.stdout.buffer.write(got)\n";
    Process process =
        new ProcessBuilder(
                "setpriv",
                "--reuid",
                user,
                "--clear-groups",
                "/usr/bin/python3",
                "-c",
                client,
                socket.toString(),
                HexFormat.of().formatHex(request))
            .redirectErrorStream(true)
            .start();
    String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), answer);
    return answer;
  }

  @Test
  void socketOfADeadDaemonCountsAsNoneAndIsReplaced(@TempDir Path other) throws IOException {
    try (var dead =
        java.nio.channels.ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
      dead.bind(UnixDomainSocketAddress.of(other.resolve("sock")));
    }
    assertTrue(Files.exists(other.resolve("sock")));
    assertTrue(ControlClient.connect(other).isEmpty());
    ControlServer successor = ControlServer.start(other, ControlServerTest::echo, REQUEST_TIMEOUT);
    try {
      assertTrue(ControlClient.connect(other).isPresent());
    } finally {
      successor.close();
    }
  }

  @Test
  void pathsLongerThanASocketAddressWork(@TempDir Path base) throws IOException {
    Path deep = Files.createDirectories(base.resolve("d".repeat(120)).resolve("e".repeat(120)));
    ControlServer far = ControlServer.start(deep, ControlServerTest::echo, REQUEST_TIMEOUT);
    try (ControlClient client = ControlClient.connect(deep).orElseThrow()) {
      ControlRequest request = new ControlRequest(List.of("list"), Target.ofPool(deep));
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      assertEquals(0, client.run(request, out, out));
    } finally {
      far.close();
    }
  }

  // Hostile clients: each gets one line, and the next honest one is served.

  private String refusal(byte[] sent) throws IOException {
    try (SocketChannel channel =
        SocketChannel.open(UnixDomainSocketAddress.of(pool.resolve("sock")))) {
      try {
        channel.write(ByteBuffer.wrap(sent));
        channel.shutdownOutput();
      } catch (IOException e) {
        // It has said what it had to say already.
      }
      DataInputStream in = new DataInputStream(Channels.newInputStream(channel));
      assertEquals(ControlRequest.MAGIC, in.readInt());
      assertEquals(ControlRequest.VERSION, in.readUnsignedShort());
      in.readLong();
      assertEquals(Answer.STDERR, in.readUnsignedByte());
      byte[] line = new byte[in.readInt()];
      in.readFully(line);
      assertEquals(Answer.EXIT, in.readUnsignedByte());
      assertEquals(4, in.readInt());
      assertEquals(1, in.readInt());
      String text = new String(line, StandardCharsets.UTF_8);
      assertTrue(text.startsWith("cowfs: ") && text.indexOf('\n') == text.length() - 1, text);
      return text;
    }
  }

  private static byte[] frame(int magic, int version, int length, byte[] body) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeInt(magic);
    out.writeShort(version);
    out.writeInt(length);
    out.write(body);
    return bytes.toByteArray();
  }

  private byte[] valid() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    request("list", "x").writeTo(new DataOutputStream(bytes));
    return bytes.toByteArray();
  }

  private void assertStillServing() throws IOException {
    assertEquals(0, run(request("list")).code());
  }

  @Test
  void malformedRequestsAreRefused() throws IOException {
    int magic = ControlRequest.MAGIC;
    assertTrue(refusal(new byte[0]).contains("cut off"));
    assertTrue(refusal(frame(magic + 1, 1, 0, new byte[0])).contains("magic"));
    assertTrue(refusal(frame(magic, 2, 0, new byte[0])).contains("version"));
    assertTrue(refusal(frame(magic, 1, -1, new byte[0])).contains("out of bounds"));
    assertTrue(refusal(frame(magic, 1, Integer.MAX_VALUE, new byte[9])).contains("out of bounds"));
    assertTrue(refusal(frame(magic, 1, 1 << 20, new byte[9])).contains("cut off"));
    assertTrue(refusal(frame(magic, 1, 2, new byte[] {0, 0})).contains("0 arguments"));
    byte[] longString = {0, 1, 0x7f, -1, -1, -1};
    assertTrue(refusal(frame(magic, 1, 6, longString)).contains("longer than the request"));
    byte[] badText = {0, 1, 0, 0, 0, 1, -1, 0, 0, 0, 0};
    assertTrue(refusal(frame(magic, 1, badText.length, badText)).contains("damaged body"));
    assertStillServing();
  }

  @Test
  void everyPrefixOfARequestIsCutOff() throws IOException {
    byte[] whole = valid();
    for (int length = 0; length < whole.length; length++) {
      byte[] prefix = java.util.Arrays.copyOf(whole, length);
      assertTrue(refusal(prefix).contains("cut off"));
    }
    assertStillServing();
  }

  @Test
  void randomDamageNeverEndsTheServer() throws IOException {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    byte[] whole = valid();
    for (int i = 0; i < 300; i++) {
      byte[] damaged = whole.clone();
      for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
        damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
      }
      try (SocketChannel channel =
          SocketChannel.open(UnixDomainSocketAddress.of(pool.resolve("sock")))) {
        channel.write(ByteBuffer.wrap(damaged));
        channel.shutdownOutput();
        byte[] answer = Channels.newInputStream(channel).readAllBytes();
        assertArrayEquals(
            new byte[] {0x43, 0x4f, 0x57, 0x46},
            java.util.Arrays.copyOf(answer, 4),
            "seed " + seed);
      }
    }
    assertStillServing();
  }

  @Test
  void slowClientIsCutOff() throws IOException {
    try (SocketChannel channel =
        SocketChannel.open(UnixDomainSocketAddress.of(pool.resolve("sock")))) {
      channel.write(ByteBuffer.wrap(java.util.Arrays.copyOf(valid(), 8)));
      byte[] answer = Channels.newInputStream(channel).readAllBytes();
      assertTrue(new String(answer, StandardCharsets.UTF_8).contains("cut off"));
    }
    assertStillServing();
  }

  @Test
  void clientsThatHangUpAreForgotten() throws IOException {
    for (int i = 0; i < 200; i++) {
      try (SocketChannel channel =
          SocketChannel.open(UnixDomainSocketAddress.of(pool.resolve("sock")))) {
        channel.write(ByteBuffer.wrap(valid()));
      }
    }
    assertStillServing();
  }

  @Test
  void tooLongCommandLinesAreRefusedByTheClient() {
    String huge = "x".repeat(ControlRequest.LENGTH_MAX);
    assertThrows(ControlException.class, () -> run(request("list", huge)));
  }
}
