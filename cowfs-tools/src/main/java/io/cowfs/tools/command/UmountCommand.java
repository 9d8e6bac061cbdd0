package io.cowfs.tools.command;

import io.cowfs.tools.target.CowfsMount;
import io.cowfs.tools.target.Target;
import io.cowfs.tools.target.TargetException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Unmounts datasets. */
@Command(
    name = "umount",
    description = {
      "Unmount a dataset, or all datasets of a pool. With the last mount the daemon ends; returns",
      "when everything is committed.",
    },
    footer = {
      "",
      "Examples:",
      "  cowfs umount /mnt/data",
      "  cowfs umount /srv/pool",
    })
public final class UmountCommand extends PoolCommand {
  @Parameters(
      paramLabel = "DIR|POOL[/DATASET]",
      description = "A mount point, or a pool, or a dataset of a pool.")
  private String target;

  UmountCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    List<CowfsMount> chosen =
        session.mounts().stream()
            .filter(mount -> isChosen(mount, target))
            .sorted(CowfsMount.INNER_FIRST)
            .toList();
    if (chosen.isEmpty()) {
      throw notMounted(target);
    }
    session.unmount(chosen);
  }

  /** Whether a mount is meant by the target. */
  public static boolean isChosen(CowfsMount mount, Target target) {
    if (target.dataset().isPresent()) {
      return mount.dataset().equals(target.dataset().get());
    }
    return target.mount().map(m -> m.mountPoint().equals(mount.mountPoint())).orElse(true);
  }

  /** Says that nothing of the target is mounted. */
  public static TargetException notMounted(Target target) {
    String name =
        target
            .dataset()
            .map(d -> CowfsMount.source(target.pool(), d))
            .orElse(target.mount().map(CowfsMount::mountPoint).orElse(target.pool()).toString());
    return new TargetException(name + " is not mounted");
  }

  @Override
  public Integer call() throws IOException {
    return runner().unmount(this);
  }
}
