package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.kernel.ControlMessageFormat.*;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A helper that sends what it should not, or nothing: the descriptor is taken, or nothing is, and
 * no descriptor is left behind.
 */
@Timeout(60)
final class DescriptorSocketTest {
  private static final boolean SOAK = Boolean.getBoolean("cowfs.soak");
  private static final int MESSAGES = SOAK ? 500_000_000 : 500_000;
  private static final Path OPEN = Path.of("/proc/self/fd");

  /** A file that nothing else here has open. */
  private static final Path FILE = Path.of("/proc/self/mountinfo");

  @Test
  void oneDescriptorIsTaken() throws Exception {
    try (DescriptorSocket socket = DescriptorSocket.open()) {
      send(socket.childFd(), 1, 1);
      socket.closeChildSide();
      int taken = socket.receive();
      assertTrue(taken >= 0);
      assertEquals(Set.of(taken), copies());
      LibC.Native.LIBC.close(taken);
    }
    assertEquals(Set.of(), copies());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 2, 3, 20})
  void anotherNumberOfThemIsNot(int count) throws Exception {
    try (DescriptorSocket socket = DescriptorSocket.open()) {
      send(socket.childFd(), 1, count);
      socket.closeChildSide();
      assertEquals(-1, socket.receive());
      assertEquals(Set.of(), copies());
    }
  }

  @Test
  void nothingIsToldFromADescriptor() throws Exception {
    try (DescriptorSocket socket = DescriptorSocket.open()) {
      socket.closeChildSide();
      assertEquals(-1, socket.receive());
    }
  }

  /** Sends some bytes, with descriptors, and closes those. */
  private static void send(int socket, int bytes, int count) {
    int[] sent = new int[count];
    try (NativeArena arena = new NativeArena()) {
      int controlBytes = CONTROL_DATA + count * Integer.BYTES;
      ByteBuffer control = arena.allocate(controlBytes + Long.BYTES);
      control.putLong(CONTROL_LENGTH, controlBytes);
      control.putInt(CONTROL_LEVEL, SOL_SOCKET);
      control.putInt(CONTROL_TYPE, SCM_RIGHTS);
      for (int i = 0; i < count; i++) {
        sent[i] = TestLibC.LIBC.open(TestLibC.path(FILE), TestLibC.O_RDONLY);
        control.putInt(CONTROL_DATA + i * Integer.BYTES, sent[i]);
      }
      ByteBuffer vector = arena.allocate(VECTOR_BYTES);
      vector.putLong(VECTOR_BASE, LibC.Native.address(arena.allocate(bytes)));
      vector.putLong(VECTOR_LENGTH, bytes);
      ByteBuffer message = arena.allocate(MSG_BYTES);
      message.putLong(MSG_VECTOR, LibC.Native.address(vector));
      message.putLong(MSG_VECTOR_COUNT, 1);
      if (count > 0) {
        message.putLong(MSG_CONTROL, LibC.Native.address(control));
        message.putLong(MSG_CONTROL_BYTES, controlBytes);
      }
      assertEquals(bytes, TestLibC.LIBC.sendmsg(socket, LibC.Native.address(message), 0));
    }
    for (int descriptor : sent) {
      TestLibC.LIBC.close(descriptor);
    }
  }

  /** Descriptors of this process that are open for the file. */
  private static Set<Integer> copies() throws IOException {
    Set<Integer> copies = new HashSet<>();
    try (Stream<Path> all = Files.list(OPEN)) {
      for (Path each : all.toList()) {
        String target;
        try {
          target = Files.readSymbolicLink(each).toString();
        } catch (IOException closedMeanwhile) {
          continue;
        }
        if (target.endsWith("/mountinfo")) {
          copies.add(Integer.valueOf(each.getFileName().toString()));
        }
      }
    }
    return copies;
  }

  @Test
  void anyMessageBringsDescriptorsOrNone() {
    long seed = Long.getLong("cowfs.test.seed", System.nanoTime());
    System.out.println("anyMessageBringsDescriptorsOrNone: seed " + seed);
    Random random = new Random(seed);
    long[] edges = {
      0, 1, 15, 16, 17, 19, 20, 23, 24, 25, 1L << 31, 1L << 32, Long.MAX_VALUE, Long.MIN_VALUE, -1
    };
    int brought = 0;
    for (int i = 0; i < MESSAGES; i++) {
      byte[] bytes = new byte[random.nextInt(3) == 0 ? random.nextInt(64) : CONTROL_BYTES];
      random.nextBytes(bytes);
      ByteBuffer control = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
      if (bytes.length >= CONTROL_DATA) {
        if (random.nextInt(8) != 0) {
          control.putInt(CONTROL_LEVEL, SOL_SOCKET).putInt(CONTROL_TYPE, SCM_RIGHTS);
        }
        if (random.nextInt(8) != 0) {
          control.putLong(CONTROL_LENGTH, edges[random.nextInt(edges.length)]);
        }
      }
      long received = random.nextBoolean() ? bytes.length : edges[random.nextInt(edges.length)];
      int[] found = descriptors(control, received);
      brought += found.length;
      if (found.length > 0) {
        int[] there = new int[found.length];
        ByteBuffer.wrap(bytes)
            .order(ByteOrder.nativeOrder())
            .position(CONTROL_DATA)
            .asIntBuffer()
            .get(there);
        assertArrayEquals(there, found, "seed " + seed);
        assertTrue(
            CONTROL_DATA + found.length * Integer.BYTES <= control.getLong(CONTROL_LENGTH)
                && CONTROL_DATA + found.length * Integer.BYTES <= received,
            "seed " + seed + ": more than was received");
      }
    }
    assertTrue(brought > 0, "seed " + seed);
  }
}
