package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Renames a snapshot or a dataset. */
@Command(
    name = "rename",
    description = {
      "Give a snapshot or a dataset another name. A dataset takes the datasets below it along;",
      "none of them may be mounted. A checkpoint that is renamed becomes a snapshot, and so is",
      "kept until it is destroyed.",
    },
    footer = {
      "",
      "Examples:",
      "  cowfs rename /mnt/data@monday @before-upgrade",
      "  cowfs rename /srv/pool/home /srv/pool/people",
    })
public final class RenameCommand extends PoolCommand {
  @Parameters(
      index = "0",
      paramLabel = "PATH[/DATASET][@NAME]",
      description = "What to rename, where PATH is a pool or a mount point.")
  private String target;

  @Parameters(
      index = "1",
      paramLabel = "NEW",
      description = "Of a snapshot NEW, @NEW or PATH[/DATASET]@NEW; of a dataset PATH/NEW.")
  private String newName;

  RenameCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void resolveOperands(Target target, PathLookup paths) throws IOException {
    newName = SecondTarget.nameInPool(PoolVerb.RENAME, target, newName, paths);
  }

  @Override
  public List<String> arguments() {
    return List.of(PoolVerb.RENAME.text(), "--", target, newName);
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    if (target.snapshot().isPresent()) {
      session
          .administration()
          .renameSnapshot(target.datasetOrDefault(), target.requireSnapshot(), newName);
    } else {
      session.administration().renameDataset(target.requireDataset(), newName);
    }
  }
}
