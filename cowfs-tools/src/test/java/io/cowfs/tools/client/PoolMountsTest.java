package io.cowfs.tools.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class PoolMountsTest {
  private static final int HANG_UPS = 3;

  @TempDir private Path pool;

  /** A process that was killed loses its lock before its socket: for a moment it can be reached. */
  @Test
  void aDaemonThatHangsUpIsWaitedForUntilItIsGone() throws Exception {
    ServerSocketChannel dying = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    dying.bind(UnixDomainSocketAddress.of(pool.resolve("sock")));
    ExecutorService executor = Executors.newSingleThreadExecutor();
    try {
      Future<?> end = executor.submit(() -> hangUpThenClose(dying));
      assertEquals(List.of(), PoolMounts.live(pool));
      end.get();
    } finally {
      executor.shutdown();
      dying.close();
    }
  }

  private static Void hangUpThenClose(ServerSocketChannel dying) throws IOException {
    try (dying) {
      for (int i = 0; i < HANG_UPS; i++) {
        dying.accept().close();
      }
    }
    return null;
  }
}
