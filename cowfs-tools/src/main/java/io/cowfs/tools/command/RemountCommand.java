package io.cowfs.tools.command;

import io.cowfs.tools.command.PoolSession.RemountStep;
import io.cowfs.tools.target.CowfsMount;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The daemon's part of {@code mount -o remount}, for the client; not shown in the help. */
@Command(
    name = RemountCommand.NAME,
    hidden = true,
    description = {
      "Take over the options of a mount that mount(8) has changed; with 'ro' in them, commit",
      "what was written before.",
    },
    footer = {
      "",
      "Example:",
      "  cowfs remount --dry-run -o ro /mnt/data",
    })
public final class RemountCommand extends PoolCommand {
  static final String NAME = "remount";

  @Option(
      names = {"-n", "--dry-run"},
      description = "Only check that the options can be changed.")
  private boolean dryRun;

  @Option(names = "-o", paramLabel = "OPTION", split = ",", description = "All mount options.")
  private List<String> options = new ArrayList<>();

  @Parameters(paramLabel = "DIR|POOL[/DATASET]", description = "What is mounted.")
  private String target;

  RemountCommand(CommandRunner runner) {
    super(runner);
  }

  /** The command line for a daemon. */
  public static List<String> arguments(CowfsMount mount, List<String> options, RemountStep step) {
    List<String> arguments = new ArrayList<>();
    arguments.add(NAME);
    if (step == RemountStep.CHECK) {
      arguments.add("--dry-run");
    }
    options.forEach(option -> arguments.addAll(List.of("-o", option)));
    arguments.addAll(List.of("--", mount.mountPoint().toString()));
    return arguments;
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    session.remount(
        target.datasetOrDefault(), options, dryRun ? RemountStep.CHECK : RemountStep.ADOPT);
  }
}
