package io.cowfs.tools.command;

import io.cowfs.core.pool.DeviceStatus;
import io.cowfs.core.pool.PoolStatus;
import io.cowfs.tools.target.CowfsMount;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Prints the state of a pool. */
@Command(
    name = "status",
    description = {
      "Print the state of a pool, its space, its last scrub, its devices and its mounts.",
      "",
      "Of each device it tells the state and the errors since the pool was opened: reads that",
      "failed, writes that failed, and what did not match its checksum. A device is ONLINE;",
      "RESILVERING: what it has missed is being copied to it; OFFLINE: by 'cowfs offline';",
      "FAULTED: a write to it failed; or UNAVAIL: it is missing, or is not what it should be. The",
      "pool is degraded while one of its devices is not ONLINE.",
    },
    footer = {
      "",
      "Example:",
      "  cowfs status /srv/pool",
    })
public final class StatusCommand extends PoolCommand {
  @Option(names = "-p", description = "Exact numbers: bytes.")
  private boolean exact;

  @Parameters(paramLabel = "PATH", description = "A pool or a mount point.")
  private String target;

  StatusCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    target.refuseSnapshot("status");
    PoolStatus status = session.status();
    line(out, "pool", target.pool().toString());
    line(out, "state", status.state());
    line(out, "size", status.capacityBytes() == 0 ? "no limit" : size(status.capacityBytes()));
    line(out, "used", size(status.allocatedBytes()));
    line(out, "freeing", size(status.freeingBytes()));
    line(out, "destroying", size(status.destroyingBytes()));
    line(out, "dirty", size(status.dirtyBytes()));
    line(out, "txg", Long.toString(status.txg()));
    line(out, "scrub", ScrubText.summary(status.scrub()));
    for (DeviceStatus device : status.devices()) {
      line(out, "device", deviceText(device));
    }
    for (CowfsMount mount : session.mounts()) {
      line(
          out,
          "mount",
          mount.dataset() + " at " + mount.mountPoint() + " (" + session.transport(mount) + ")");
    }
  }

  private static String deviceText(DeviceStatus device) {
    String errors =
        "%d read, %d write, %d checksum errors"
            .formatted(device.readErrors(), device.writeErrors(), device.checksumErrors());
    String note = device.note().isEmpty() ? "" : " (" + device.note() + ")";
    return ErrorLine.oneLine(device.name() + " " + device.state() + ", " + errors + note);
  }

  private String size(long bytes) {
    return exact ? Long.toString(bytes) : SizeText.human(bytes);
  }

  private static void line(PrintWriter out, String key, String value) {
    out.printf("%-12s%s%n", key + ":", value);
  }
}
