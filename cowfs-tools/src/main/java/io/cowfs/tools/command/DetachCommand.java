package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;

/** Removes a device from a pool. */
@Command(
    name = "detach",
    description = {
      "Make a pool forget one of its devices, at once.",
      "",
      "The last device that has everything is refused. What the device holds is worth nothing",
      "afterwards; its file stays, unless it lies in the directory of the pool.",
    },
    footer = {
      "",
      "Example:",
      "  cowfs detach /srv/pool /disk2/pool",
    })
public final class DetachCommand extends DeviceCommand {
  DetachCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public void execute(PoolSession session, Target resolved, PrintWriter out) throws IOException {
    session.mirror().detach(device());
  }
}
