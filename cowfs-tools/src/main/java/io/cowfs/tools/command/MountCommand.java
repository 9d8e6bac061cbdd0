package io.cowfs.tools.command;

import io.cowfs.fuse.kernel.Transport;
import io.cowfs.tools.command.PoolSession.IfMissing;
import io.cowfs.tools.command.PoolSession.MountRequest;
import io.cowfs.tools.target.Target;
import io.cowfs.tools.target.UsageException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** Mounts a dataset. */
@Command(
    name = "mount",
    description = {
      "Mount a dataset of a pool (root, if none is named) on an empty directory. Returns when the",
      "mount is live; a daemon serves it in the background, with its log in POOL/log/cowfs.log.",
    },
    footer = {
      "",
      "Examples:",
      "  cowfs mount /srv/pool /mnt/data",
      "  cowfs mount --create -o noatime,nodev /srv/pool/home /home",
      "  cowfs mount -a /srv/pool",
    })
public final class MountCommand extends PoolCommand {
  /** Whether the process that was started serves the mount itself. */
  public enum Serve {
    IN_BACKGROUND,
    IN_FOREGROUND
  }

  /** Which datasets are meant. */
  public enum Choice {
    ONE,
    ALL
  }

  @Option(
      names = {"-a", "--all"},
      description =
          "Mount every dataset that has a mountpoint property of its own and is not mounted yet, by"
              + " one daemon, and print each mount point. --create then creates directories only.")
  private boolean all;

  @Option(names = "--create", description = "Create the pool, the dataset and DIR if not there.")
  private boolean create;

  @Option(
      names = "--foreground",
      description = "Serve the mount in this process until it is unmounted or told to end.")
  private boolean foreground;

  @Option(
      names = "-o",
      paramLabel = "OPTION",
      split = ",",
      description =
          "Mount options: those of mount(8) for every file system, such as ro, nodev, nosuid,"
              + " noexec, noatime, sync; and allow_other, writeback=off, usersnap (every user may"
              + " change the snapshots in .cowfs/snapshot), memory=small (less memory for the pool,"
              + " with its first mount).")
  private List<String> options = new ArrayList<>();

  @Option(
      names = "--transport",
      paramLabel = "kernel|libfuse",
      converter = TransportConverter.class,
      description =
          "Who speaks FUSE: cowfs itself (default where /dev/fuse can be opened directly), or"
              + " libfuse 2, with the limits of its older protocol.")
  private Transport transport = Transport.preferred();

  @Parameters(
      index = "0",
      paramLabel = "POOL[/DATASET]",
      description = "The pool, and the dataset in it.")
  private String target;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "DIR",
      description = "The mount point; none with -a.")
  private String directory;

  MountCommand(CommandRunner runner) {
    super(runner);
  }

  /** The command for one dataset that is there, as if it had been parsed. */
  static MountCommand of(
      CommandRunner runner, String target, String directory, List<String> options) {
    MountCommand command = new MountCommand(runner);
    command.target = target;
    command.directory = directory;
    command.options = options;
    return command;
  }

  @Override
  public String target() {
    return target;
  }

  /** The mount point as it was written. */
  public String directory() {
    return directory;
  }

  /** The arguments of -o. */
  public List<String> options() {
    return List.copyOf(options);
  }

  public Serve serve() {
    return foreground ? Serve.IN_FOREGROUND : Serve.IN_BACKGROUND;
  }

  public IfMissing ifMissing() {
    return create ? IfMissing.CREATE : IfMissing.FAIL;
  }

  public Choice choice() {
    return all ? Choice.ALL : Choice.ONE;
  }

  /** The pool whose datasets are all to be mounted. */
  public Path poolOfAll(Target target) throws IOException {
    target.refuseSnapshot("mount");
    if (target.dataset().isPresent()) {
      throw new UsageException("-a means all datasets: leave out " + target.dataset().get());
    }
    return target.pool();
  }

  /** What to mount, once the mount point is known by its real path. */
  public MountRequest request(Target target, Path mountPoint) throws IOException {
    target.refuseSnapshot("mount");
    return request(target.datasetOrDefault(), mountPoint, ifMissing());
  }

  /** What to mount of a dataset that is there. */
  public MountRequest requestExisting(String dataset, Path mountPoint) {
    return request(dataset, mountPoint, IfMissing.FAIL);
  }

  private MountRequest request(String dataset, Path mountPoint, IfMissing ifMissing) {
    return new MountRequest(dataset, mountPoint, transport, List.copyOf(options), ifMissing);
  }

  /** The command line for a daemon that runs already. */
  public static List<String> arguments(Path pool, MountRequest request) {
    List<String> arguments = new ArrayList<>();
    arguments.add("mount");
    if (request.ifMissing() == IfMissing.CREATE) {
      arguments.add("--create");
    }
    arguments.add("--transport=" + request.transport());
    request.options().forEach(option -> arguments.addAll(List.of("-o", option)));
    arguments.addAll(List.of("--", pool.toString(), request.mountPoint().toString()));
    return arguments;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    session.mount(request(target, Path.of(directory)));
  }

  @Override
  public Integer call() throws IOException {
    if (all && foreground) {
      throw wrongUsage("-a mounts in the background: leave out --foreground");
    }
    if (all != (directory == null)) {
      throw wrongUsage(all ? "-a takes no DIR" : "DIR is missing");
    }
    return runner().mount(this);
  }

  static final class TransportConverter implements ITypeConverter<Transport> {
    @Override
    public Transport convert(String value) {
      for (Transport transport : Transport.values()) {
        if (transport.toString().equals(value)) {
          return transport;
        }
      }
      throw new TypeConversionException("'" + value + "' is no transport: kernel or libfuse");
    }
  }
}
