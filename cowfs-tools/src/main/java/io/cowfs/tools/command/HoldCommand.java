package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;

/** Protects a snapshot. */
@Command(
    name = "hold",
    description = {
      "Put a tag on a snapshot: it cannot be destroyed until each of its tags is released.",
    },
    footer = {
      "",
      "Example:",
      "  cowfs hold /srv/pool/home@monday backup",
    })
public final class HoldCommand extends SnapshotTagCommand {
  HoldCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    session.administration().hold(target.datasetOrDefault(), target.requireSnapshot(), tag());
  }
}
