package io.cowfs.tools.client;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.pool.Pool;
import io.cowfs.core.pool.PoolBusyException;
import io.cowfs.core.pool.PoolPath;
import io.cowfs.tools.command.CommandRunner;
import io.cowfs.tools.command.InitCommand;
import io.cowfs.tools.command.MountCommand;
import io.cowfs.tools.command.MountsCommand;
import io.cowfs.tools.command.PoolCommand;
import io.cowfs.tools.command.PoolSession.IfMissing;
import io.cowfs.tools.command.PoolSession.MountRequest;
import io.cowfs.tools.command.PoolVerb;
import io.cowfs.tools.command.PoolVerb.Flush;
import io.cowfs.tools.command.UmountCommand;
import io.cowfs.tools.control.ControlClient;
import io.cowfs.tools.control.ControlRequest;
import io.cowfs.tools.control.DaemonClosingException;
import io.cowfs.tools.daemon.Daemon;
import io.cowfs.tools.target.CowfsMount;
import io.cowfs.tools.target.MountTable;
import io.cowfs.tools.target.Target;
import io.cowfs.tools.target.TargetException;
import io.cowfs.tools.target.TargetResolver;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Runs commands for a user. Every attempt looks afresh for a daemon: between two attempts one may
 * have come or gone. Belongs to one thread.
 */
public final class ClientRunner implements CommandRunner {
  private static final int NO_DAEMON = -1;

  private final Path workingDirectory;
  private final OutputStream out;
  private final OutputStream err;

  /** One attempt at a command. */
  private interface Attempt {
    /**
     * @throws DaemonClosingException when the daemon is about to end: it is tried again
     * @throws PoolBusyException when another process has the pool: it is tried again
     */
    int run() throws IOException;
  }

  /**
   * @param workingDirectory what relative paths start from
   * @param out where a daemon's output goes
   * @param err where a daemon's error output goes
   */
  public ClientRunner(Path workingDirectory, OutputStream out, OutputStream err) {
    this.workingDirectory = workingDirectory;
    this.out = out;
    this.err = err;
  }

  /**
   * The short way for a command on a mounted pool: hands the command line over as it stands, and
   * the daemon, which is warm, parses it.
   *
   * @return the exit code, or nothing when the command line has to be parsed here
   */
  public OptionalInt forward(String... arguments) throws IOException {
    Optional<PoolVerb> verb =
        arguments.length == 0 ? Optional.empty() : PoolVerb.find(arguments[0]);
    String text = null;
    for (int i = 1; i < arguments.length; i++) {
      if (!arguments[i].startsWith("-")) {
        if (text != null) {
          return OptionalInt.empty();
        }
        text = arguments[i];
      }
    }
    if (text == null || verb.isEmpty() || !verb.get().isForwardable()) {
      return OptionalInt.empty();
    }
    Target target;
    try {
      target = resolve(text);
    } catch (TargetException e) {
      return OptionalInt.empty();
    }
    int code = forward(verb.get(), new ControlRequest(List.of(arguments), target));
    return code == NO_DAEMON ? OptionalInt.empty() : OptionalInt.of(code);
  }

  private int forward(PoolVerb verb, ControlRequest request) throws IOException {
    Path pool = request.target().pool();
    return patiently(
        () -> {
          flush(verb.flushFirst(), request.target());
          Optional<ControlClient> daemon = ControlClient.connect(pool);
          return daemon.isPresent() ? runRemotely(daemon.get(), request) : NO_DAEMON;
        });
  }

  @Override
  public int init(InitCommand command) throws IOException {
    Pool.create(command.pool(workingDirectory), command.options(workingDirectory));
    return 0;
  }

  @Override
  public int run(PoolCommand command) throws IOException {
    Target target = resolve(command.target());
    ControlRequest request = new ControlRequest(command.arguments(), target);
    return patiently(
        () -> {
          flush(command.verb().flushFirst(), target);
          Optional<ControlClient> daemon = ControlClient.connect(target.pool());
          return daemon.isPresent()
              ? runRemotely(daemon.get(), request)
              : LocalPool.run(command, target);
        });
  }

  @Override
  public int mount(MountCommand command) throws IOException {
    Target wanted = resolveForMount(command);
    Path directory = workingDirectory.resolve(command.directory());
    removeDeadMount(wanted.pool(), directory.normalize());
    Path mountPoint = MountPoint.check(directory, wanted.pool(), command.ifMissing());
    Target target = createIfMissing(wanted, command.ifMissing());
    MountRequest request = command.request(target, mountPoint);
    ControlRequest remote =
        new ControlRequest(MountCommand.arguments(target.pool(), request), target);
    return patiently(
        () -> {
          if (command.serve() == MountCommand.Serve.IN_FOREGROUND) {
            Daemon.runInForeground(target.pool(), request);
            return 0;
          }
          Optional<ControlClient> daemon = ControlClient.connect(target.pool());
          if (daemon.isPresent()) {
            return runRemotely(daemon.get(), remote);
          }
          DaemonProcess.start(target.pool(), request);
          return 0;
        });
  }

  @Override
  public int unmount(UmountCommand command) throws IOException {
    Target target = resolve(command.target());
    target.refuseSnapshot("umount");
    ControlRequest request = new ControlRequest(command.arguments(), target);
    return patiently(
        () -> {
          List<CowfsMount> dead = deadMounts(target);
          for (CowfsMount mount : dead) {
            Tool.unmountDead(mount.mountPoint());
          }
          Optional<ControlClient> daemon = ControlClient.connect(target.pool());
          if (!dead.isEmpty()) {
            return 0;
          }
          if (daemon.isEmpty()) {
            throw UmountCommand.notMounted(target);
          }
          ControlClient client = daemon.get();
          int code = runRemotely(client, request);
          if (code == 0 && ControlClient.connect(target.pool()).isEmpty()) {
            awaitExit(client.daemonPid());
          }
          return code;
        });
  }

  private static int patiently(Attempt attempt) throws IOException {
    Patience patience = new Patience();
    while (true) {
      try {
        return attempt.run();
      } catch (DaemonClosingException | PoolBusyException e) {
        patience.pauseOrThrow(e);
      }
    }
  }

  private int runRemotely(ControlClient daemon, ControlRequest request) throws IOException {
    try (daemon) {
      return daemon.run(request, out, err);
    }
  }

  private static boolean isPool(Path directory) {
    return new PoolPath(directory).looksLikePool();
  }

  private Target resolve(String text) throws IOException {
    return new TargetResolver(workingDirectory, MountTable.read(), ClientRunner::isPool)
        .resolve(text);
  }

  /** The target, which may be a pool still to be created. */
  private Target resolveForMount(MountCommand command) throws IOException {
    try {
      return resolve(command.target());
    } catch (TargetException e) {
      if (command.ifMissing() == IfMissing.FAIL || command.target().contains("@")) {
        throw e;
      }
      return Target.ofPool(workingDirectory.resolve(command.target()).normalize());
    }
  }

  private static Target createIfMissing(Target wanted, IfMissing ifMissing) throws IOException {
    if (ifMissing == IfMissing.FAIL || isPool(wanted.pool())) {
      return wanted;
    }
    Pool.create(wanted.pool(), new Pool.CreateOptions(0, CompressionSetting.LZ4, null));
    return Target.ofPool(wanted.pool().toRealPath());
  }

  /** Has the kernel write what it holds back of the mounts that a command depends on. */
  private static void flush(Flush what, Target target) throws IOException {
    if (what == Flush.NOTHING) {
      return;
    }
    for (CowfsMount mount : liveMounts(target.pool())) {
      if (what == Flush.ALL || mount.dataset().equals(target.datasetOrDefault())) {
        Tool.flush(mount.mountPoint());
      }
    }
  }

  /** What the daemon of a pool has mounted; nothing when there is no daemon. */
  private static List<CowfsMount> liveMounts(Path pool) throws IOException {
    Optional<ControlClient> daemon = ControlClient.connect(pool);
    if (daemon.isEmpty()) {
      return List.of();
    }
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    ByteArrayOutputStream complaint = new ByteArrayOutputStream();
    List<String> arguments = List.of(MountsCommand.NAME, pool.toString());
    try (ControlClient client = daemon.get()) {
      int code = client.run(new ControlRequest(arguments, Target.ofPool(pool)), printed, complaint);
      if (code != 0) {
        throw new IOException(pool + ": " + complaint.toString(StandardCharsets.UTF_8).strip());
      }
    }
    return MountsCommand.parse(printed.toString(StandardCharsets.UTF_8), pool);
  }

  /** The mounts meant that no daemon serves any more: it was killed. */
  private static List<CowfsMount> deadMounts(Target target) throws IOException {
    List<CowfsMount> live = liveMounts(target.pool());
    return MountTable.read().cowfsOf(target.pool(), ClientRunner::isPool).stream()
        .filter(mount -> UmountCommand.isChosen(mount, target))
        .filter(mount -> live.stream().noneMatch(l -> l.mountPoint().equals(mount.mountPoint())))
        .toList();
  }

  /**
   * The mount of a daemon that was killed is no obstacle to mounting the pool there again. Only
   * when no daemon answers, and the kernel says that it has none either, is it taken for dead.
   */
  private static void removeDeadMount(Path pool, Path directory) throws IOException {
    for (CowfsMount mount : deadMounts(Target.ofPool(pool))) {
      if (mount.mountPoint().equals(directory) && MountPoint.isDisconnected(directory)) {
        Tool.unmountDead(directory);
      }
    }
  }

  private static void awaitExit(long pid) throws IOException {
    Patience patience = new Patience();
    while (isRunning(pid)) {
      patience.pauseOrThrow(
          new IOException("process " + pid + " has committed everything but does not end"));
    }
  }

  /** A process that only waits for its parent to notice that it ended counts as ended. */
  private static boolean isRunning(long pid) {
    try {
      String stat =
          Files.readString(
              Path.of("/proc", Long.toString(pid), "stat"), StandardCharsets.ISO_8859_1);
      return !stat.substring(stat.lastIndexOf(')')).startsWith(") Z");
    } catch (IOException e) {
      return false;
    }
  }
}
