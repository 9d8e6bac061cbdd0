package io.cowfs.tools.daemon;

import io.cowfs.core.pool.MemoryUse;
import io.cowfs.core.pool.Pool;
import io.cowfs.core.pool.PoolBusyException;
import io.cowfs.fuse.kernel.MountOptions;
import io.cowfs.fuse.kernel.Transport;
import io.cowfs.tools.command.CowfsCommand;
import io.cowfs.tools.command.ErrorLine;
import io.cowfs.tools.command.PoolSession;
import io.cowfs.tools.command.PoolSession.IfMissing;
import io.cowfs.tools.command.PoolSession.MountRequest;
import io.cowfs.tools.control.ControlRequest;
import io.cowfs.tools.control.ControlServer;
import io.cowfs.tools.control.DaemonClosingException;
import io.cowfs.tools.daemon.DaemonLog.Echo;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The life of a daemon, from opening the pool to closing it. */
public final class Daemon {
  /** The verb that starts one; not for users. */
  public static final String VERB = "daemon";

  /** What a daemon in the background prints when the mount is live; anything else is an error. */
  public static final String READY = "ready";

  /** The exit code that says that another process has the pool. */
  public static final int EXIT_BUSY = 3;

  private static final Logger LOG = DaemonLog.logger(Daemon.class);
  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration SHUTDOWN_TIMEOUT = Duration.ofMinutes(5);

  private final Path directory;
  private final Pool pool;
  private final MountedDatasets mounts;
  private final PoolSession session;
  private final UsageGate gate = new UsageGate();
  private final CompletableFuture<Void> poolClosed = new CompletableFuture<>();

  private Daemon(Path directory, Pool pool, MemoryUse memory) {
    this.directory = directory;
    this.pool = pool;
    this.mounts = new MountedDatasets(pool, directory, memory);
    this.session = new DaemonSession(pool, mounts, poolClosed);
  }

  /** The command line of a daemon for {@link #runInBackground}. */
  public static List<String> arguments(Path pool, MountRequest request) {
    List<String> arguments = new ArrayList<>();
    arguments.add(VERB);
    arguments.add(pool.toString());
    arguments.add(request.dataset());
    arguments.add(request.mountPoint().toString());
    arguments.add(request.ifMissing().name());
    arguments.add(request.transport().name());
    arguments.addAll(request.options());
    return arguments;
  }

  /**
   * Runs a daemon that reports over its standard output to the client that started it, and then
   * lets go of its terminal.
   *
   * @param arguments those of {@link #arguments}
   * @return the exit code
   */
  public static int runInBackground(List<String> arguments) {
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    try {
      Path directory = Path.of(arguments.get(1));
      MountRequest request =
          new MountRequest(
              arguments.get(2),
              Path.of(arguments.get(3)),
              Transport.valueOf(arguments.get(5)),
              arguments.subList(6, arguments.size()),
              IfMissing.valueOf(arguments.get(4)));
      run(directory, request, Echo.NONE, () -> detach(out));
      return 0;
    } catch (PoolBusyException e) {
      ErrorLine.print(e, out);
      return EXIT_BUSY;
    } catch (IOException | RuntimeException | Error e) {
      ErrorLine.print(e, out);
      return 1;
    }
  }

  private static void detach(PrintWriter out) {
    out.println(READY);
    // The JDK opens /dev/null in place of a standard stream that is closed.
    System.out.close();
    System.err.close();
  }

  /** Serves a mount in this process, with the log on standard error as well. */
  public static void runInForeground(Path directory, MountRequest request) throws IOException {
    run(directory, request, Echo.STANDARD_ERROR, () -> {});
  }

  private static void run(Path directory, MountRequest request, Echo echo, Runnable ready)
      throws IOException {
    openAllJars();
    MemoryUse memory =
        MountOptions.parse(request.options()).smallMemory() ? MemoryUse.SMALL : MemoryUse.NORMAL;
    Pool pool = Pool.open(directory, memory);
    Daemon daemon = new Daemon(directory, pool, memory);
    try {
      DaemonLog.openIn(directory, echo);
      daemon.serve(request, ready);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    } finally {
      daemon.closePool();
    }
  }

  /**
   * Makes the class loader open every jar of the class path, as looking for an absent class does: a
   * rebuild may then replace the files under a daemon that runs for weeks.
   */
  private static void openAllJars() {
    Daemon.class.getClassLoader().getResource("io/cowfs/absent");
  }

  private void serve(MountRequest request, Runnable ready)
      throws IOException, InterruptedException {
    ControlServer server = ControlServer.start(directory, this::handle, REQUEST_TIMEOUT);
    try {
      LOG.log(Level.INFO, "daemon started, process {0,number,#}", ProcessHandle.current().pid());
      Thread hook = new Thread(this::shutDown, "shutdown");
      Runtime.getRuntime().addShutdownHook(hook);
      mounts.mount(request);
      UnpackedLibraries.delete();
      pool.startHousekeeping(mounts::flush);
      ready.run();
      mounts.awaitNone();
    } finally {
      end(server);
    }
    if (poolClosed.isCompletedExceptionally()) {
      throw new IOException(directory + ": the last commit failed, see its log");
    }
    LOG.log(Level.INFO, "daemon ended");
  }

  /** What fails here, as on a host that is gone, keeps nobody from their answer. */
  private void end(ControlServer server) throws IOException, InterruptedException {
    try {
      server.close();
    } finally {
      // Commands may be waiting for it, and everyone inside the gate is waited for.
      pool.scrub().stop();
      pool.defragmenter().stop();
      gate.closeAndAwaitEmpty();
      closePool();
      server.awaitAnswers(ANSWER_TIMEOUT);
    }
  }

  private void closePool() {
    if (poolClosed.isDone()) {
      return;
    }
    try {
      pool.close();
      poolClosed.complete(null);
    } catch (IOException | RuntimeException e) {
      LOG.log(Level.SEVERE, "closing the pool", e);
      poolClosed.completeExceptionally(e);
    }
  }

  private int handle(ControlRequest request, OutputStream out, OutputStream err)
      throws DaemonClosingException {
    // Unmounting waits for the pool to be closed, which waits for everyone inside the gate.
    boolean inside = !request.arguments().get(0).equals("umount");
    if (inside && !gate.enter()) {
      throw new DaemonClosingException();
    }
    try {
      long start = System.nanoTime();
      DaemonRunner runner = new DaemonRunner(session, request.target());
      int code =
          CowfsCommand.run(
              request.arguments().toArray(String[]::new), runner, writer(out), writer(err));
      if (code != CowfsCommand.EXIT_USAGE) {
        logTime(request.arguments().get(0), System.nanoTime() - start, runner.poolNanos());
      }
      return code;
    } catch (Error e) {
      // A class or a thread too many, say: the client is told, and the daemon goes on.
      LOG.log(Level.SEVERE, "a command", e);
      ErrorLine.print(e, writer(err));
      return 1;
    } finally {
      if (inside) {
        gate.leave();
      }
    }
  }

  /** The verb and the time, and no names: those of a user's datasets are nobody's business. */
  private static void logTime(String verb, long nanos, long poolNanos) {
    LOG.info(
        String.format(
            Locale.ROOT,
            "command %s took %.3f ms, %.3f ms without its parsing",
            verb,
            nanos / 1e6,
            poolNanos / 1e6));
  }

  private static PrintWriter writer(OutputStream out) {
    return new PrintWriter(new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8)));
  }

  /** SIGTERM or SIGINT: unmounts, and waits for {@link #serve} to close the pool. */
  private void shutDown() {
    if (poolClosed.isDone()) {
      return;
    }
    LOG.log(Level.INFO, "told to end");
    mounts.unmountAll();
    try {
      poolClosed.get(SHUTDOWN_TIMEOUT.toSeconds(), TimeUnit.SECONDS);
      LOG.log(Level.INFO, "everything is committed");
    } catch (ExecutionException | TimeoutException e) {
      LOG.log(Level.SEVERE, "could not close the pool", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
