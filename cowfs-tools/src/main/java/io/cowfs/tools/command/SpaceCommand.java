package io.cowfs.tools.command;

import io.cowfs.tools.command.SpaceListing.Checkpoints;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Prints where the space is. */
@Command(
    name = "space",
    description = {
      "Print where the space of a pool is: what a dataset and each of its snapshots refer to, what",
      "each has alone, so that destroying only it would free it, and what else the pool has in",
      "use, to the sector. 'cowfs destroy --dry-run' tells it for several snapshots together.",
    },
    footer = {
      "",
      "Examples:",
      "  cowfs space /srv/pool/home",
      "  cowfs space --bytes /mnt/data",
    })
public final class SpaceCommand extends PoolCommand {
  /** The alternatives for the numbers. */
  static final class Numbers {
    @Option(names = "--bytes", description = "Exact sizes, in bytes.")
    private boolean bytes;

    @Option(names = "--json", description = "A JSON object, with everything; sizes in bytes.")
    private boolean json;
  }

  @ArgGroup private Numbers numbers = new Numbers();

  @Option(
      names = {"-c", "--checkpoints"},
      description = "List also the checkpoints.")
  private boolean checkpoints;

  @Parameters(paramLabel = "PATH[/DATASET]", description = "Where PATH is a pool or a mount point.")
  private String target;

  SpaceCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    target.refuseSnapshot(PoolVerb.SPACE.text());
    SpaceListing listing =
        new SpaceListing(session.administration().space(target.datasetOrDefault()));
    if (numbers.json) {
      listing.printJson(target.pool(), out);
    } else {
      listing.print(
          numbers.bytes ? Long::toString : SizeText::human,
          checkpoints ? Checkpoints.SHOWN : Checkpoints.COUNTED,
          out);
    }
  }
}
