package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import io.cowfs.tools.target.TargetException;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Destroys a snapshot or a dataset. */
@Command(
    name = "destroy",
    description = "Destroy a snapshot, or a dataset that is not mounted, for good.",
    footer = {
      "",
      "Examples:",
      "  cowfs destroy /srv/pool/home@monday",
      "  cowfs destroy -r /srv/pool/home",
    })
public final class DestroyCommand extends PoolCommand {
  @Option(
      names = {"-r", "--recursive"},
      description = "With the dataset destroy its snapshots.")
  private boolean recursive;

  @Parameters(
      paramLabel = "PATH[/DATASET][@NAME]",
      description = "Where PATH is a pool or a mount point.")
  private String target;

  DestroyCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    if (target.snapshot().isPresent()) {
      session.destroySnapshot(target.datasetOrDefault(), target.requireSnapshot());
      return;
    }
    session.destroyDataset(
        target
            .dataset()
            .orElseThrow(
                () -> new TargetException("no dataset or snapshot named: write POOL/DATASET")),
        recursive);
  }
}
