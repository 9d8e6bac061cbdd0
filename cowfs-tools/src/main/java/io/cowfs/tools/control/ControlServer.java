package io.cowfs.tools.control;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jdk.net.ExtendedSocketOptions;

/**
 * The daemon's side of the control socket: one thread accepts, and each connection has one of its
 * own, up to a bound; further clients wait in the kernel's queue. Thread-safe.
 */
public final class ControlServer implements Closeable {
  /** Runs a command and returns its exit code. Called by several threads at once. */
  public interface Handler {
    /**
     * Runs one command and prints to the two streams.
     *
     * @throws DaemonClosingException when the daemon is ending and nothing was done
     */
    int handle(ControlRequest request, OutputStream out, OutputStream err)
        throws DaemonClosingException;
  }

  private static final Logger LOG = Logger.getLogger(ControlServer.class.getName());
  private static final int CONNECTIONS_MAX = 64;

  private final Path pool;
  private final Handler handler;
  private final Duration requestTimeout;
  private final ServerSocketChannel server;
  private final UserPrincipal self;
  private final UserPrincipal root;
  private final Semaphore slots = new Semaphore(CONNECTIONS_MAX);
  private final Set<Thread> connections = ConcurrentHashMap.newKeySet();
  private final ScheduledExecutorService watchdog =
      Executors.newSingleThreadScheduledExecutor(r -> daemonThread(r, "control-watchdog"));

  private ControlServer(Path pool, Handler handler, Duration requestTimeout) throws IOException {
    this.pool = pool;
    this.handler = handler;
    this.requestTimeout = requestTimeout;
    Path file = pool.resolve(SocketPath.NAME);
    // The caller holds the pool's lock: what lies here was left behind by a daemon that died.
    Files.deleteIfExists(file);
    this.server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try (SocketPath socket = SocketPath.of(pool)) {
      server.bind(socket.address(), CONNECTIONS_MAX);
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
      this.self = Files.getOwner(file);
      this.root = file.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("0");
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
  }

  /**
   * Listens on the socket of a pool whose lock the caller holds.
   *
   * @param requestTimeout how long a client may take to send its request
   */
  public static ControlServer start(Path pool, Handler handler, Duration requestTimeout)
      throws IOException {
    ControlServer started = new ControlServer(pool, handler, requestTimeout);
    daemonThread(started::accept, "control-accept").start();
    return started;
  }

  private static Thread daemonThread(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  private void accept() {
    while (server.isOpen()) {
      slots.acquireUninterruptibly();
      try {
        SocketChannel channel = server.accept();
        Thread thread = daemonThread(() -> serveAndRelease(channel), "control");
        connections.add(thread);
        thread.start();
      } catch (ClosedChannelException e) {
        slots.release();
        return;
      } catch (IOException | OutOfMemoryError e) {
        slots.release();
        LOG.log(Level.WARNING, "control socket: cannot accept", e);
        pause();
      }
    }
  }

  /** Out of descriptors or threads: wait for some to come back rather than spin. */
  private static void pause() {
    try {
      Thread.sleep(100);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void serveAndRelease(SocketChannel channel) {
    try (channel) {
      serve(channel);
    } catch (IOException e) {
      LOG.log(Level.FINE, "control socket: the client is gone", e);
    } catch (RuntimeException e) {
      LOG.log(Level.WARNING, "control socket", e);
    } finally {
      connections.remove(Thread.currentThread());
      slots.release();
    }
  }

  private void serve(SocketChannel channel) throws IOException {
    DataOutputStream out =
        new DataOutputStream(
            new BufferedOutputStream(Channels.newOutputStream(channel), Answer.FRAME_MAX));
    out.writeInt(ControlRequest.MAGIC);
    out.writeShort(ControlRequest.VERSION);
    out.writeLong(ProcessHandle.current().pid());
    UserPrincipal peer = channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
    if (!peer.equals(self) && !peer.equals(root)) {
      refuse(out, pool + ": permission denied to user " + peer.getName());
      return;
    }
    ControlRequest request;
    try {
      request = receive(channel);
    } catch (ControlException e) {
      refuse(out, e.getMessage());
      return;
    }
    // From here on the client knows that the command was begun.
    out.flush();
    try {
      int code =
          handler.handle(
              request, new AnswerStream(out, Answer.STDOUT), new AnswerStream(out, Answer.STDERR));
      finish(out, Answer.EXIT, code);
    } catch (DaemonClosingException e) {
      finish(out, Answer.CLOSING, 1);
    }
  }

  private ControlRequest receive(SocketChannel channel) throws IOException {
    Future<?> alarm =
        watchdog.schedule(
            () -> shutdownInput(channel), requestTimeout.toMillis(), TimeUnit.MILLISECONDS);
    try {
      return ControlRequest.readFrom(
          new DataInputStream(new BufferedInputStream(Channels.newInputStream(channel))), pool);
    } finally {
      alarm.cancel(false);
    }
  }

  /** Makes a request that does not come look cut off, and leaves the way back open. */
  private static void shutdownInput(SocketChannel channel) {
    try {
      channel.shutdownInput();
    } catch (IOException e) {
      LOG.log(Level.FINE, "control socket: the client is gone", e);
    }
  }

  private static void refuse(DataOutputStream out, String message) throws IOException {
    LOG.log(Level.WARNING, "control socket: {0}", message);
    new AnswerStream(out, Answer.STDERR)
        .write(("cowfs: " + message + "\n").getBytes(StandardCharsets.UTF_8));
    finish(out, Answer.EXIT, 1);
  }

  private static void finish(DataOutputStream out, int type, int code) throws IOException {
    out.writeByte(type);
    out.writeInt(Integer.BYTES);
    out.writeInt(code);
    out.flush();
  }

  /** Takes no more connections and removes the socket. Commands that run go on. */
  @Override
  public void close() throws IOException {
    try {
      Files.deleteIfExists(pool.resolve(SocketPath.NAME));
    } finally {
      server.close();
      watchdog.shutdown();
    }
  }

  /** Waits until the answers under way are delivered, but no longer than a time. */
  public void awaitAnswers(Duration atMost) throws InterruptedException {
    long deadlineNanos = System.nanoTime() + atMost.toNanos();
    for (Thread connection : connections) {
      long leftMs = (deadlineNanos - System.nanoTime()) / 1_000_000;
      if (leftMs > 0 && connection != Thread.currentThread()) {
        connection.join(leftMs);
      }
    }
  }
}
