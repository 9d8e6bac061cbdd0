package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Makes a dataset of a snapshot. */
@Command(
    name = "clone",
    description = {
      "Create a dataset that begins as a snapshot and can be written to. It shares its space with",
      "the snapshot, which may be destroyed at any time: the clone keeps what it needs.",
    },
    footer = {
      "",
      "Examples:",
      "  cowfs clone /srv/pool@before-upgrade /srv/pool/trial",
      "  cowfs clone -o readonly=on /mnt/data@monday /srv/pool/look",
    })
public final class CloneCommand extends PoolCommand {
  @Mixin private NewProperties properties = new NewProperties();

  @Parameters(
      index = "0",
      paramLabel = "PATH[/DATASET]@NAME",
      description = "The snapshot, where PATH is a pool or a mount point.")
  private String target;

  @Parameters(
      index = "1",
      paramLabel = "PATH/NEW",
      description = "The dataset to create, in the same pool.")
  private String newDataset;

  CloneCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void resolveOperands(Target target, PathLookup paths) throws IOException {
    newDataset = SecondTarget.nameInPool(PoolVerb.CLONE, target, newDataset, paths);
  }

  @Override
  public List<String> arguments() {
    List<String> arguments = new ArrayList<>();
    arguments.add(PoolVerb.CLONE.text());
    arguments.addAll(properties.arguments());
    arguments.addAll(List.of("--", target, newDataset));
    return arguments;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    session
        .administration()
        .cloneSnapshot(
            target.datasetOrDefault(),
            target.requireSnapshot(),
            newDataset,
            properties.values(this));
  }
}
