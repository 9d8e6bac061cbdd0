package io.cowfs.tools.command;

import io.cowfs.tools.command.TextTable.Align;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.Map;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Lists the tags of a snapshot. */
@Command(
    name = "holds",
    description = "List the tags that keep a snapshot from being destroyed, and since when.",
    footer = {
      "",
      "Example:",
      "  cowfs holds /srv/pool/home@monday",
    })
public final class HoldsCommand extends PoolCommand {
  @ArgGroup private Layout layout = new Layout();

  @Parameters(
      paramLabel = "PATH[/DATASET]@NAME",
      description = "Where PATH is a pool or a mount point.")
  private String target;

  HoldsCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    print(session.administration().holds(target.datasetOrDefault(), target.requireSnapshot()), out);
  }

  void print(Map<String, Instant> holds, PrintWriter out) {
    if (layout.isJson()) {
      printJson(holds, out);
      return;
    }
    TextTable table = new TextTable().column("TAG", Align.LEFT).column("SINCE", Align.LEFT);
    holds.forEach((tag, since) -> table.row(tag, TimeText.local(since)));
    if (layout.isBare()) {
      table.printBare(out);
    } else {
      table.print(out);
    }
  }

  private static void printJson(Map<String, Instant> holds, PrintWriter out) {
    out.print("{\"holds\": [");
    String separator = "\n  ";
    for (Map.Entry<String, Instant> hold : holds.entrySet()) {
      out.print(
          "%s{\"tag\": %s, \"since\": %d}"
              .formatted(
                  separator, JsonText.quote(hold.getKey()), hold.getValue().getEpochSecond()));
      separator = ",\n  ";
    }
    out.println("\n]}");
  }
}
