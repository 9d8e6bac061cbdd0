package io.cowfs.tools.command;

import io.cowfs.core.device.NewDevice.Overwrite;
import io.cowfs.core.pool.NewMember;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

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
public final class AttachCommand extends DeviceCommand {
  @Option(
      names = {"-w", "--wait"},
      description = "Return when everything was copied.")
  private boolean wait;

  @Option(
      names = "--force",
      description = "Take a block device although it holds something, which is lost.")
  private boolean force;

  AttachCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public void resolveOperands(Target resolved, PathLookup paths) throws IOException {
    super.resolveOperands(resolved, paths);
    newMember().requireFitHost();
  }

  private NewMember newMember() {
    return new NewMember(Path.of(device()), force ? Overwrite.FORCE : Overwrite.REFUSE);
  }

  @Override
  List<String> options() {
    List<String> options = new ArrayList<>();
    if (wait) {
      options.add("--wait");
    }
    if (force) {
      options.add("--force");
    }
    return options;
  }

  @Override
  public void execute(PoolSession session, Target resolved, PrintWriter out) throws IOException {
    session.mirror().attach(newMember());
    awaitResilver(session, resolved, wait);
  }
}
