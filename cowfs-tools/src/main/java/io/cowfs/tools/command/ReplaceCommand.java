package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Puts a new device in the place of one of a pool. */
@Command(
    name = "replace",
    description = {
      "Put a new device in the place of one of the pool's.",
      "",
      "The new one, a block device or a directory that is new or empty, gets a copy of everything. When",
      "it has that, the pool forgets the old one, which may be missing or broken, and stays in use till",
      "then where it is not. While a mounted pool is in use, that happens in the background, and the",
      "command returns at once; 'cowfs status' shows how far it is. After an unmount or a crash it begins",
      "again when the pool is mounted. To give it up, detach the new one.",
    },
    footer = {
      "",
      "Example:",
      "  cowfs replace /srv/pool /disk2/pool /disk3/pool",
    })
public final class ReplaceCommand extends NewDeviceCommand {
  @Parameters(
      index = "2",
      paramLabel = "NEW",
      description = "A block device, or a directory that is new or empty.")
  private String newDevice;

  ReplaceCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public void resolveOperands(Target resolved, PathLookup paths) throws IOException {
    newDevice = paths.path(newDevice).toString();
    super.resolveOperands(resolved, paths);
  }

  @Override
  String newDevice() {
    return newDevice;
  }

  @Override
  List<String> moreOperands() {
    return List.of(newDevice);
  }

  @Override
  public void execute(PoolSession session, Target resolved, PrintWriter out) throws IOException {
    session.mirror().replace(device(), newMember());
    awaitResilver(session, resolved);
  }
}
