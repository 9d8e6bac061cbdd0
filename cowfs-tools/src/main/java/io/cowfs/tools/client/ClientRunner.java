package io.cowfs.tools.client;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.pool.Pool;
import io.cowfs.fuse.kernel.MountException;
import io.cowfs.fuse.kernel.MountOptions;
import io.cowfs.fuse.kernel.Remount;
import io.cowfs.tools.command.CommandRunner;
import io.cowfs.tools.command.ErrorLine;
import io.cowfs.tools.command.InitCommand;
import io.cowfs.tools.command.MountCommand;
import io.cowfs.tools.command.MountHelperCommand;
import io.cowfs.tools.command.MountPointsCommand;
import io.cowfs.tools.command.MountsCommand;
import io.cowfs.tools.command.PoolCommand;
import io.cowfs.tools.command.PoolSession.IfMissing;
import io.cowfs.tools.command.PoolSession.MountRequest;
import io.cowfs.tools.command.PoolSession.RemountStep;
import io.cowfs.tools.command.PoolVerb;
import io.cowfs.tools.command.PoolVerb.Flush;
import io.cowfs.tools.command.RemountCommand;
import io.cowfs.tools.command.RewindCommand;
import io.cowfs.tools.command.UmountCommand;
import io.cowfs.tools.control.ControlClient;
import io.cowfs.tools.control.ControlRequest;
import io.cowfs.tools.daemon.Daemon;
import io.cowfs.tools.target.CowfsMount;
import io.cowfs.tools.target.MountTable;
import io.cowfs.tools.target.Target;
import io.cowfs.tools.target.TargetException;
import io.cowfs.tools.target.UsageException;
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

  /* Fields of /proc/PID/stat behind the name, see proc(5). */
  private static final int STAT_STATE = 0;
  private static final int STAT_THREADS = 17;

  private final Path workingDirectory;
  private final ClientPaths paths;
  private final OutputStream out;
  private final OutputStream err;

  /**
   * @param workingDirectory what relative paths start from
   * @param out where a daemon's output goes
   * @param err where a daemon's error output goes
   */
  public ClientRunner(Path workingDirectory, OutputStream out, OutputStream err) {
    this.workingDirectory = workingDirectory;
    this.paths = new ClientPaths(workingDirectory);
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
    Optional<ControlRequest> request = Optional.empty();
    if (verb.isPresent()) {
      try {
        request = UnparsedLine.request(verb.get(), List.of(arguments), paths);
      } catch (TargetException e) {
        // The long way says it, unless it finds more that is wrong.
      }
    }
    if (request.isEmpty()) {
      return OptionalInt.empty();
    }
    int code = forward(verb.get(), request.get());
    return code == NO_DAEMON ? OptionalInt.empty() : OptionalInt.of(code);
  }

  private int forward(PoolVerb verb, ControlRequest request) throws IOException {
    Path pool = request.target().pool();
    return Patience.await(
        () -> {
          flush(verb.flushFirst(request.arguments()), request.target());
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
  public int rewind(RewindCommand command) throws IOException {
    Target target = paths.target(command.target());
    return Patience.await(
        () -> {
          Optional<ControlClient> daemon = ControlClient.connect(target.pool());
          if (daemon.isPresent()) {
            daemon.get().close();
            throw new IOException(
                target.pool() + ": the pool is mounted: it can be rewound only after umount");
          }
          command.execute(target);
          return 0;
        });
  }

  @Override
  public int run(PoolCommand command) throws IOException {
    Target target = command.locate(paths);
    command.resolveOperands(target, paths);
    ControlRequest request = new ControlRequest(command.arguments(), target);
    return Patience.await(
        () -> {
          flush(command.verb().flushFirst(request.arguments()), target);
          Optional<ControlClient> daemon = ControlClient.connect(target.pool());
          return daemon.isPresent()
              ? runRemotely(daemon.get(), request)
              : LocalPool.run(command, target);
        });
  }

  @Override
  public int mount(MountCommand command) throws IOException {
    if (command.choice() == MountCommand.Choice.ALL) {
      return mountAll(command);
    }
    MountOptions options = options(command);
    Target wanted = resolveForMount(command);
    Path directory = workingDirectory.resolve(command.directory());
    PoolMounts.removeDead(wanted.pool(), directory.normalize());
    Path mountPoint = MountPoint.check(directory, wanted.pool(), command.ifMissing());
    if (!options.nonEmpty()) {
      MountPoint.requireEmpty(mountPoint);
    }
    Target target = createIfMissing(wanted, command.ifMissing());
    MountRequest request = command.request(target, mountPoint);
    if (command.serve() == MountCommand.Serve.IN_FOREGROUND) {
      return Patience.await(
          () -> {
            Daemon.runInForeground(target.pool(), request);
            return 0;
          });
    }
    return mountInBackground(target.pool(), request);
  }

  @Override
  public int mountForSystem(MountHelperCommand helper) throws IOException {
    if (helper.isRemount()) {
      return remount(helper);
    }
    MountCommand command = helper.mountCommand();
    Target target = paths.target(command.target());
    Path directory = workingDirectory.resolve(command.directory());
    String what = CowfsMount.source(target.pool(), target.datasetOrDefault());
    if (isServedAt(target, directory.normalize())) {
      // mount -a knows only of mounts that the kernel shows as the table has them.
      helper.say(what + " is mounted on " + directory + " already");
      return 0;
    }
    if (helper.isFake()) {
      command.request(target, MountPoint.check(directory, target.pool(), command.ifMissing()));
      return 0;
    }
    int code = mount(command);
    if (code == 0) {
      helper.say(what + " mounted on " + directory);
    }
    return code;
  }

  private static boolean isServedAt(Target target, Path mountPoint) throws IOException {
    return MountTable.read().isCowfs(mountPoint)
        && PoolMounts.live(target.pool())
            .contains(new CowfsMount(mountPoint, target.pool(), target.datasetOrDefault()));
  }

  /**
   * Changes a mount: the kernel's flags from here, because the daemon must not wait for what the
   * kernel then writes back; before, the daemon is asked, and afterwards told.
   */
  private int remount(MountHelperCommand helper) throws IOException {
    Target target = paths.target(helper.directory());
    CowfsMount mount =
        target
            .mount()
            .orElseThrow(() -> new TargetException(helper.directory() + ": no cowfs mount point"));
    int code = tellOfRemount(mount, helper.options(), RemountStep.CHECK);
    if (code != 0 || helper.isFake()) {
      return code;
    }
    Remount.apply(mount.mountPoint(), helper.options());
    code = tellOfRemount(mount, helper.options(), RemountStep.ADOPT);
    if (code == 0) {
      helper.say(mount.mountPoint() + " remounted");
    }
    return code;
  }

  private int tellOfRemount(CowfsMount mount, List<String> options, RemountStep step)
      throws IOException {
    Optional<ControlClient> daemon = ControlClient.connect(mount.pool());
    if (daemon.isEmpty()) {
      throw new IOException(mount.mountPoint() + ": no daemon serves it any more");
    }
    Target dataset = Target.ofDataset(mount.pool(), mount.dataset());
    return runRemotely(
        daemon.get(), new ControlRequest(RemountCommand.arguments(mount, options, step), dataset));
  }

  /** Opening a pool only to find options that make no sense would take long. */
  private static MountOptions options(MountCommand command) throws UsageException {
    try {
      return MountOptions.parse(command.options());
    } catch (MountException e) {
      throw new UsageException(e.getMessage());
    }
  }

  /** Mounts by the daemon of the pool, or by a new one. */
  private int mountInBackground(Path pool, MountRequest request) throws IOException {
    ControlRequest remote =
        new ControlRequest(
            MountCommand.arguments(pool, request), Target.ofDataset(pool, request.dataset()));
    return Patience.await(
        () -> {
          Optional<ControlClient> daemon = ControlClient.connect(pool);
          if (daemon.isPresent()) {
            return runRemotely(daemon.get(), remote);
          }
          DaemonProcess.start(pool, request);
          return 0;
        });
  }

  /** Mounts what has a mount point of its own; what fails keeps none of the others from it. */
  private int mountAll(MountCommand command) throws IOException {
    options(command);
    Path pool = command.poolOfAll(paths.target(command.target()));
    int code = 0;
    for (CowfsMount wanted : Patience.await(() -> mountPoints(pool))) {
      if (PoolMounts.live(pool).stream().anyMatch(m -> m.dataset().equals(wanted.dataset()))) {
        continue;
      }
      try {
        PoolMounts.removeDead(pool, wanted.mountPoint());
        Path mountPoint = MountPoint.check(wanted.mountPoint(), pool, command.ifMissing());
        MountRequest request = command.requestExisting(wanted.dataset(), mountPoint);
        if (mountInBackground(pool, request) == 0) {
          command.out().println(wanted.dataset() + " at " + mountPoint);
          command.out().flush();
        } else {
          code = 1;
        }
      } catch (IOException e) {
        ErrorLine.print(e, command.err());
        code = 1;
      }
    }
    return code;
  }

  private static List<CowfsMount> mountPoints(Path pool) throws IOException {
    Optional<String> printed = PoolMounts.ask(pool, MountPointsCommand.NAME);
    return printed.isPresent()
        ? MountsCommand.parse(printed.get(), pool)
        : LocalPool.mountPoints(pool);
  }

  @Override
  public int unmount(UmountCommand command) throws IOException {
    Target target = paths.target(command.target());
    target.refuseSnapshot("umount");
    ControlRequest request = new ControlRequest(command.arguments(), target);
    return Patience.await(
        () -> {
          List<CowfsMount> dead = PoolMounts.dead(target);
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

  private int runRemotely(ControlClient daemon, ControlRequest request) throws IOException {
    try (daemon) {
      return daemon.run(request, out, err);
    }
  }

  /** The target, which may be a pool still to be created. */
  private Target resolveForMount(MountCommand command) throws IOException {
    try {
      return paths.target(command.target());
    } catch (TargetException e) {
      if (command.ifMissing() == IfMissing.FAIL || command.target().contains("@")) {
        throw e;
      }
      return Target.ofPool(workingDirectory.resolve(command.target()).normalize());
    }
  }

  private static Target createIfMissing(Target wanted, IfMissing ifMissing) throws IOException {
    if (ifMissing == IfMissing.FAIL || PoolMounts.isPool(wanted.pool())) {
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
    for (CowfsMount mount : PoolMounts.live(target.pool())) {
      if (isMeant(what, mount.dataset(), target.datasetOrDefault())) {
        Tool.flush(mount.mountPoint());
      }
    }
  }

  private static boolean isMeant(Flush what, String mounted, String dataset) {
    return what == Flush.ALL
        || mounted.equals(dataset)
        || (what == Flush.SUBTREE
            && (dataset.equals(Target.DEFAULT_DATASET) || mounted.startsWith(dataset + "/")));
  }

  private static void awaitExit(long pid) throws IOException {
    Patience patience = new Patience();
    while (isRunning(pid)) {
      patience.pauseOrThrow(
          new IOException("process " + pid + " has committed everything but does not end"));
    }
  }

  /**
   * A process that only waits for its parent to notice that it ended counts as ended; but not as
   * long as it has other threads, which end after the first one, and the locks with the last.
   */
  private static boolean isRunning(long pid) {
    try {
      String stat =
          Files.readString(
              Path.of("/proc", Long.toString(pid), "stat"), StandardCharsets.ISO_8859_1);
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      return !fields[STAT_STATE].equals("Z") || Integer.parseInt(fields[STAT_THREADS]) > 1;
    } catch (IOException e) {
      return false;
    }
  }
}
