package io.cowfs.tools.command;

import picocli.CommandLine.Parameters;

/** What the commands on the tag of a snapshot have in common. */
abstract class SnapshotTagCommand extends PoolCommand {
  @Parameters(
      index = "0",
      paramLabel = "PATH[/DATASET]@NAME",
      description = "Where PATH is a pool or a mount point.")
  private String target;

  @Parameters(
      index = "1",
      paramLabel = "TAG",
      description = "Says who needs the snapshot; 'cowfs holds' lists the tags.")
  private String tag;

  SnapshotTagCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public final String target() {
    return target;
  }

  final String tag() {
    return tag;
  }
}
