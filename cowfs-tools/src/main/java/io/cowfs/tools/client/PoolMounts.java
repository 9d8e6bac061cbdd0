package io.cowfs.tools.client;

import io.cowfs.core.pool.PoolPath;
import io.cowfs.tools.command.MountsCommand;
import io.cowfs.tools.command.UmountCommand;
import io.cowfs.tools.control.ControlClient;
import io.cowfs.tools.control.ControlRequest;
import io.cowfs.tools.target.CowfsMount;
import io.cowfs.tools.target.MountTable;
import io.cowfs.tools.target.Target;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What is mounted of a pool, as its daemon and the kernel tell. */
final class PoolMounts {
  private PoolMounts() {}

  static boolean isPool(Path directory) {
    return new PoolPath(directory).looksLikePool();
  }

  /** What the daemon of a pool has mounted; nothing when there is no daemon. */
  static List<CowfsMount> live(Path pool) throws IOException {
    return ask(pool, MountsCommand.NAME)
        .map(printed -> MountsCommand.parse(printed, pool))
        .orElse(List.of());
  }

  /**
   * Has the daemon of a pool run a verb. One that is ending, or was killed and still has its
   * socket, is waited for.
   *
   * @return what it printed; nothing when there is no daemon
   */
  static Optional<String> ask(Path pool, String verb) throws IOException {
    return Patience.await(() -> askOnce(pool, verb));
  }

  private static Optional<String> askOnce(Path pool, String verb) throws IOException {
    Optional<ControlClient> daemon = ControlClient.connect(pool);
    if (daemon.isEmpty()) {
      return Optional.empty();
    }
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    ByteArrayOutputStream complaint = new ByteArrayOutputStream();
    List<String> arguments = List.of(verb, pool.toString());
    try (ControlClient client = daemon.get()) {
      int code = client.run(new ControlRequest(arguments, Target.ofPool(pool)), printed, complaint);
      if (code != 0) {
        throw new IOException(pool + ": " + complaint.toString(StandardCharsets.UTF_8).strip());
      }
    }
    return Optional.of(printed.toString(StandardCharsets.UTF_8));
  }

  /** The mounts meant that no daemon serves any more, inner ones first: it was killed. */
  static List<CowfsMount> dead(Target target) throws IOException {
    List<CowfsMount> live = live(target.pool());
    return MountTable.read().cowfsOf(target.pool(), PoolMounts::isPool).stream()
        .filter(mount -> UmountCommand.isChosen(mount, target))
        .filter(mount -> live.stream().noneMatch(l -> l.mountPoint().equals(mount.mountPoint())))
        .sorted(CowfsMount.INNER_FIRST)
        .toList();
  }

  /**
   * The mount of a daemon that was killed is no obstacle to mounting the pool there again. Only
   * when no daemon answers, and the kernel says that it has none either, is it taken for dead.
   */
  static void removeDead(Path pool, Path directory) throws IOException {
    for (CowfsMount mount : dead(Target.ofPool(pool))) {
      if (mount.mountPoint().equals(directory) && MountPoint.isDisconnected(directory)) {
        Tool.unmountDead(directory);
      }
    }
  }
}
