package io.cowfs.tools.command;

import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.dataset.EffectiveProperty;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.tools.target.CowfsMount;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Lists what is to be mounted, for the client; not shown in the help. */
@Command(
    name = MountPointsCommand.NAME,
    hidden = true,
    description = {
      "List the datasets that have a mountpoint property of their own, and its value, each ended",
      "by a NUL byte.",
    },
    footer = {
      "",
      "Example:",
      "  cowfs mountpoints /srv/pool",
    })
public final class MountPointsCommand extends PoolCommand {
  public static final String NAME = "mountpoints";

  private static final String PROPERTY = "mountpoint";
  private static final String NONE = "none";

  @Parameters(paramLabel = "PATH", description = "A pool or a mount point.")
  private String target;

  MountPointsCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    for (CowfsMount mount : wanted(session, target.pool())) {
      out.print(mount.dataset() + "\0" + mount.mountPoint() + "\0");
    }
  }

  /**
   * What is to be mounted where, an outer directory before those inside of it.
   *
   * @throws IOException also when a property is no path
   */
  public static List<CowfsMount> wanted(PoolSession session, Path pool) throws IOException {
    List<CowfsMount> wanted = new ArrayList<>();
    for (DatasetInfo info : session.list()) {
      if (info.kind() == NodeKind.HEAD) {
        for (EffectiveProperty value : session.administration().properties(info.dataset(), null)) {
          if (value.name().equals(PROPERTY) && !value.value().equals(NONE)) {
            wanted.add(new CowfsMount(directory(info, value), pool, info.dataset()));
          }
        }
      }
    }
    wanted.sort(Comparator.comparing(CowfsMount::mountPoint));
    return wanted;
  }

  private static Path directory(DatasetInfo info, EffectiveProperty value) throws IOException {
    try {
      return Path.of(value.value()).normalize();
    } catch (InvalidPathException e) {
      throw new IOException(
          "the mountpoint of %s is no path: %s".formatted(info.dataset(), value.value()), e);
    }
  }
}
