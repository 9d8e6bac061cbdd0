package io.cowfs.tools.command;

import io.cowfs.core.pool.DeviceStatus;
import io.cowfs.core.pool.PoolMirror;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Parameters;

/** What the commands on one device of a pool have in common. */
abstract class DeviceCommand extends PoolCommand {
  @Parameters(index = "0", paramLabel = "POOL", description = "A pool or a mount point.")
  private String target;

  @Parameters(
      index = "1",
      paramLabel = "DIR|DEVICE",
      description = "A block device, or the directory that has the data.")
  private String device;

  DeviceCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public final String target() {
    return target;
  }

  final String device() {
    return device;
  }

  @Override
  public void resolveOperands(Target resolved, PathLookup paths) throws IOException {
    resolved.refuseSnapshot(verb().text());
    device = paths.path(device).toString();
  }

  /** Options, for a daemon. */
  List<String> options() {
    return List.of();
  }

  /** Operands after the device, for a daemon. */
  List<String> moreOperands() {
    return List.of();
  }

  @Override
  public final List<String> arguments() {
    List<String> arguments = new ArrayList<>();
    arguments.add(verb().text());
    arguments.addAll(options());
    arguments.addAll(List.of("--", target, device));
    arguments.addAll(moreOperands());
    return arguments;
  }

  /**
   * Waits until everything was copied, where that is asked for, or nobody would do it: the pool is
   * closed when the command is done.
   */
  static void awaitResilver(PoolSession session, Target resolved, boolean isAsked)
      throws IOException {
    if (!isAsked && !session.mounts().isEmpty()) {
      return;
    }
    PoolMirror mirror = session.mirror();
    mirror.awaitResilver();
    for (DeviceStatus each : mirror.devices()) {
      if (each.isBehind()) {
        throw new IOException(
            "%s: %s is %s: not everything was copied"
                .formatted(resolved.pool(), each.name(), each.state()));
      }
    }
  }
}
