package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;

/** Takes back what {@link HoldCommand} did. */
@Command(
    name = "release",
    description = "Take a tag off a snapshot that 'cowfs hold' put on it.",
    footer = {
      "",
      "Example:",
      "  cowfs release /srv/pool/home@monday backup",
    })
public final class ReleaseCommand extends SnapshotTagCommand {
  ReleaseCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    session.administration().release(target.datasetOrDefault(), target.requireSnapshot(), tag());
  }
}
