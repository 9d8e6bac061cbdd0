package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;

/** Adds a device to a pool. */
@Command(
    name = "attach",
    description = {
      "Give a pool one more device, which gets a copy of everything.",
      "",
      "A pool with one device becomes a mirror. The device is a block device, or a directory that is",
      "new or empty. While a mounted pool is in use, the copy is made in the background, and the command",
      "returns at once; 'cowfs status' shows how far it is.",
    },
    footer = {
      "",
      "Example:",
      "  cowfs attach /srv/pool /disk2/pool",
    })
public final class AttachCommand extends NewDeviceCommand {
  AttachCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  String newDevice() {
    return device();
  }

  @Override
  public void execute(PoolSession session, Target resolved, PrintWriter out) throws IOException {
    session.mirror().attach(newMember());
    awaitResilver(session, resolved);
  }
}
