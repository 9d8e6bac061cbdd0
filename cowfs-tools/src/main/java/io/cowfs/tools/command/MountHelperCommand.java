package io.cowfs.tools.command;

import io.cowfs.tools.command.TableOptions.Unknown;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * What mount(8) calls for the type {@code fuse.cowfs}, by the script {@code mount.fuse.cowfs}; not
 * shown in the help. Command line and exit codes are those of the section "External helpers" of
 * mount(8).
 */
@Command(
    name = MountHelperCommand.NAME,
    hidden = true,
    exitCodeOnInvalidInput = 1,
    exitCodeOnExecutionException = MountHelperCommand.EXIT_FAILED,
    description = "Mount, or change a mount, for mount(8).",
    footer = {
      "",
      "Example:",
      "  cowfs mount-helper /srv/pool/home /home -o rw,nodev,nofail",
    })
public final class MountHelperCommand implements Callable<Integer> {
  public static final String NAME = "mount-helper";

  /** The exit code of mount(8) for a mount that failed. */
  public static final int EXIT_FAILED = 32;

  @Option(names = "-s", description = "Ignore options that are not known.")
  private boolean sloppy;

  @Option(names = "-f", description = "Check everything, and mount nothing.")
  private boolean fake;

  @Option(names = "-v", description = "Say what was done.")
  private boolean verbose;

  @Option(names = "-N", paramLabel = "NAMESPACE", description = "Not supported.")
  private String namespace;

  @Option(names = "-t", paramLabel = "TYPE", description = "Must be fuse.cowfs.")
  private String type;

  @Option(names = "-o", paramLabel = "OPTION", split = ",", description = "As in fstab(5).")
  private List<String> options = new ArrayList<>();

  @Parameters(index = "0", paramLabel = "POOL[/DATASET]", description = "The pool.")
  private String target;

  @Parameters(index = "1", paramLabel = "DIR", description = "The mount point.")
  private String directory;

  @Spec private CommandSpec spec;

  private final CommandRunner runner;

  MountHelperCommand(CommandRunner runner) {
    this.runner = runner;
  }

  /** There is no table to write: the kernel's is the only one. */
  @Option(names = "-n", description = "Write no /etc/mtab.")
  void writeNoTable(boolean unused) {}

  /** The mount point as it was written. */
  public String directory() {
    return directory;
  }

  /** Whether everything is to be done but for the mount itself. */
  public boolean isFake() {
    return fake;
  }

  /** Whether a mount is changed that is there. */
  public boolean isRemount() throws IOException {
    return tableOptions().remount();
  }

  /** The options that concern the file system. */
  public List<String> options() throws IOException {
    return tableOptions().own();
  }

  private TableOptions tableOptions() throws IOException {
    return TableOptions.of(options, sloppy ? Unknown.IGNORE : Unknown.REFUSE);
  }

  /** The command that does the same for a user. */
  public MountCommand mountCommand() throws IOException {
    return MountCommand.of(runner, target, directory, options());
  }

  /** Says what was done, to those who want to know. */
  public void say(String what) {
    if (verbose) {
      PrintWriter out = spec.commandLine().getOut();
      out.println(NAME + ": " + what);
      out.flush();
    }
  }

  @Override
  public Integer call() throws IOException {
    if (namespace != null) {
      throw new ParameterException(spec.commandLine(), "cannot mount in another namespace (-N)");
    }
    if (type != null && !type.equals("fuse.cowfs")) {
      throw new ParameterException(spec.commandLine(), "cannot mount the type " + type);
    }
    return runner.mountForSystem(this) == 0 ? 0 : EXIT_FAILED;
  }
}
