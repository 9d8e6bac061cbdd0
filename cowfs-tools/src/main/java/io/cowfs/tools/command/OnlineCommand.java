package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Takes a device of a mirror into use again. */
@Command(
    name = "online",
    description = {
      "Take a device of a mirror into use again that was offline, failed or was missing.",
      "",
      "What was written meanwhile is copied to it, and nothing else. While a mounted pool is in use, that",
      "happens in the background, and the command returns at once; 'cowfs status' shows how far it is.",
      "A device that failed or was missing is also taken into use when the pool is mounted again.",
    },
    footer = {
      "",
      "Example:",
      "  cowfs online /srv/pool /disk2/pool",
    })
public final class OnlineCommand extends DeviceCommand {
  @Option(
      names = {"-w", "--wait"},
      description = "Return when everything was copied.")
  private boolean wait;

  OnlineCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  List<String> options() {
    return wait ? List.of("--wait") : List.of();
  }

  @Override
  public void execute(PoolSession session, Target resolved, PrintWriter out) throws IOException {
    session.mirror().online(device());
    awaitResilver(session, resolved, wait);
  }
}
