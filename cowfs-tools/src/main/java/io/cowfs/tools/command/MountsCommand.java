package io.cowfs.tools.command;

import io.cowfs.tools.target.CowfsMount;
import io.cowfs.tools.target.Target;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Lists what is mounted, for the client; not shown in the help. */
@Command(
    name = MountsCommand.NAME,
    hidden = true,
    description = "List the mounted datasets and their mount points, each ended by a NUL byte.",
    footer = {
      "",
      "Example:",
      "  cowfs mounts /srv/pool",
    })
public final class MountsCommand extends PoolCommand {
  public static final String NAME = "mounts";

  @Parameters(paramLabel = "PATH", description = "A pool or a mount point.")
  private String target;

  MountsCommand(CommandRunner runner) {
    super(runner);
  }

  /** Reads what {@link #execute} printed. */
  public static List<CowfsMount> parse(String printed, Path pool) {
    String[] fields = printed.split("\0", -1);
    List<CowfsMount> mounts = new ArrayList<>();
    for (int i = 0; i + 1 < fields.length; i += 2) {
      mounts.add(new CowfsMount(Path.of(fields[i + 1]), pool, fields[i]));
    }
    return mounts;
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) {
    for (CowfsMount mount : session.mounts()) {
      out.print(mount.dataset() + "\0" + mount.mountPoint() + "\0");
    }
  }
}
