package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;

/** Takes a device of a mirror out of use. */
@Command(
    name = "offline",
    description = {
      "Take a device of a mirror out of use until 'cowfs online', over unmounts.",
      "",
      "The last device that has everything is refused.",
    },
    footer = {
      "",
      "Example:",
      "  cowfs offline /srv/pool /disk2/pool",
    })
public final class OfflineCommand extends DeviceCommand {
  OfflineCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public void execute(PoolSession session, Target resolved, PrintWriter out) throws IOException {
    session.mirror().offline(device());
  }
}
