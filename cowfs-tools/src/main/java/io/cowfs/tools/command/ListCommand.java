package io.cowfs.tools.command;

import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.tools.target.Target;
import io.cowfs.tools.target.TargetException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lists datasets and snapshots. */
@Command(
    name = "list",
    description = {
      "List the datasets and snapshots of a pool: the space that each alone uses, the space that",
      "it refers to, and when it was created. With a dataset, list it, its snapshots and the",
      "datasets below it; with a snapshot, that one.",
    },
    footer = {
      "",
      "Examples:",
      "  cowfs list /srv/pool",
      "  cowfs list -H -p /mnt/data",
      "  cowfs list --checkpoints /srv/pool/home",
    })
public final class ListCommand extends PoolCommand {
  @ArgGroup private Layout layout = new Layout();

  @Option(
      names = {"-c", "--checkpoints"},
      description = "List also the checkpoints, which commits keep for some time.")
  private boolean checkpoints;

  @Option(names = "-p", description = "Exact numbers: bytes, and seconds since 1970.")
  private boolean exact;

  @Parameters(
      paramLabel = "PATH[/DATASET][@NAME]",
      description = "Where PATH is a pool or a mount point.")
  private String target;

  ListCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    List<DatasetInfo> chosen =
        session.list().stream().filter(info -> isChosen(info, target)).toList();
    if (chosen.isEmpty()) {
      String name = target.datasetOrDefault() + target.snapshot().map(s -> "@" + s).orElse("");
      throw new TargetException(name + " does not exist in " + target.pool());
    }
    DatasetListing listing =
        new DatasetListing(
            chosen, exact ? DatasetListing.Numbers.EXACT : DatasetListing.Numbers.HUMAN);
    if (layout.isJson()) {
      listing.printJson(target.pool(), out);
    } else if (layout.isBare()) {
      listing.printBare(out);
    } else {
      listing.printTable(out);
    }
  }

  private boolean isChosen(DatasetInfo info, Target target) {
    Optional<String> snapshot = target.snapshot();
    if (snapshot.isPresent()) {
      return info.dataset().equals(target.datasetOrDefault())
          && info.snapshot().equals(snapshot.get());
    }
    if (info.kind() == NodeKind.CHECKPOINT && !checkpoints) {
      return false;
    }
    return target
        .dataset()
        .map(d -> info.dataset().equals(d) || info.dataset().startsWith(d + "/"))
        .orElse(true);
  }
}
