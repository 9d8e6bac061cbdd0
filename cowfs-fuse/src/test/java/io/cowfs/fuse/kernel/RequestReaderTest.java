package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.kernel.LibC.Native.LIBC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cowfs.fuse.wire.Reply;
import io.cowfs.fuse.wire.Request;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Over a pipe in place of the kernel: whether a read sleeps is told by the descriptor's flags. Time
 * goes on with each look at the clock.
 */
@Timeout(60)
final class RequestReaderTest {
  private static final int F_GETFL = 3;
  private static final int MESSAGE_BYTES = 64;
  private static final long LONG_NANOS = 20_000_000;
  private static final long NANOS_OF_A_LOOK = 1_000;

  private final int[] pipe = new int[2];
  private final Request request = new Request(Reply.bufferBytes(4096));
  private final ByteBuffer message = ByteBuffer.allocateDirect(MESSAGE_BYTES);
  private final ReadyWorkers ready = new ReadyWorkers(2, () -> false);
  private final AtomicLong now = new AtomicLong();
  private RequestReader reader;

  @BeforeEach
  void open() {
    assumeTrue(Runtime.getRuntime().availableProcessors() > 1, "one processor: nobody spins");
    assertEquals(0, LIBC.pipe2(pipe, LibC.Native.O_CLOEXEC));
    long address = LibC.Native.address(request.buffer());
    reader =
        new RequestReader(
            new FuseDevice(pipe[0]), request, address, ready, () -> now.addAndGet(NANOS_OF_A_LOOK));
    ready.beforeRequest();
  }

  @AfterEach
  void close() {
    LIBC.close(pipe[0]);
    LIBC.close(pipe[1]);
  }

  private void send() {
    assertEquals(MESSAGE_BYTES, LIBC.write(pipe[1], LibC.Native.address(message), MESSAGE_BYTES));
  }

  private void readWhatIsThere() {
    send();
    assertEquals(MESSAGE_BYTES, reader.read());
  }

  /** Reads what comes when the reader has been asleep for a while. */
  private void readLate() {
    CompletableFuture<Void> sent =
        CompletableFuture.runAsync(
            () -> {
              do {
                LockSupport.parkNanos(LONG_NANOS);
              } while (spun());
              now.addAndGet(LONG_NANOS);
              send();
            });
    assertEquals(MESSAGE_BYTES, reader.read());
    sent.join();
  }

  /** After one that came soon, the reader expects the next one soon. */
  private void readUntilItSpins() {
    readWhatIsThere();
    readWhatIsThere();
    assertTrue(spun());
  }

  private boolean spun() {
    return (LIBC.fcntl(pipe[0], F_GETFL, 0) & LibC.Native.O_NONBLOCK) != 0;
  }

  @Test
  void spinsWhereOneCameSoon() {
    readUntilItSpins();
    readWhatIsThere();
    assertTrue(spun());
  }

  @Test
  void sleepsAfterASpinInVainUntilOneComesSoonAgain() {
    readUntilItSpins();
    readLate();
    assertFalse(spun(), "went to sleep");
    readLate();
    assertFalse(spun(), "did not spin before");
    readUntilItSpins();
  }

  @Test
  void asleepItTakesNoProcessorTime() {
    readUntilItSpins();
    var threads = java.lang.management.ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadCpuTime();
    for (int i = 0; i < 10; i++) {
      readLate();
    }
    long used = threads.getCurrentThreadCpuTime() - before;
    assertTrue(used < 10 * LONG_NANOS / 2, () -> used + " ns");
  }

  /** Most likely it has waited for a device. */
  @Test
  void sleepsAfterARequestThatTookLong() {
    readUntilItSpins();
    now.addAndGet(LONG_NANOS);
    readWhatIsThere();
    assertFalse(spun());
  }

  /** The kernel wakes that one for each request, whoever takes it. */
  @Test
  void sleepsWhereAnotherWaits() {
    readUntilItSpins();
    ready.beforeRequest();
    readWhatIsThere();
    assertFalse(spun());
  }
}
