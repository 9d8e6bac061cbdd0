package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Makes everything durable. */
@Command(
    name = "sync",
    description = "Make everything durable that was written to the pool before.",
    footer = {
      "",
      "Example:",
      "  cowfs sync /mnt/data",
    })
public final class SyncCommand extends PoolCommand {
  @Parameters(paramLabel = "PATH", description = "A pool or a mount point.")
  private String target;

  SyncCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    target.refuseSnapshot("sync");
    session.sync();
  }
}
