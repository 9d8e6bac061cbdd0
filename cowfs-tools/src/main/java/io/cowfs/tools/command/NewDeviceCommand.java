package io.cowfs.tools.command;

import io.cowfs.core.device.NewDevice.Overwrite;
import io.cowfs.core.pool.NewMember;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** What the commands have in common that give a pool another device. */
abstract class NewDeviceCommand extends DeviceCommand {
  @Option(
      names = {"-w", "--wait"},
      description = "Return when everything was copied.")
  private boolean wait;

  @Option(
      names = "--force",
      description = "Take a block device although it holds something, which is lost.")
  private boolean force;

  NewDeviceCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public void resolveOperands(Target resolved, PathLookup paths) throws IOException {
    super.resolveOperands(resolved, paths);
    newMember().requireFitHost();
  }

  /** The path of the new device. */
  abstract String newDevice();

  final NewMember newMember() {
    return new NewMember(Path.of(newDevice()), force ? Overwrite.FORCE : Overwrite.REFUSE);
  }

  @Override
  final List<String> options() {
    List<String> options = new ArrayList<>();
    if (wait) {
      options.add("--wait");
    }
    if (force) {
      options.add("--force");
    }
    return options;
  }

  final void awaitResilver(PoolSession session, Target resolved) throws IOException {
    awaitResilver(session, resolved, wait);
  }
}
