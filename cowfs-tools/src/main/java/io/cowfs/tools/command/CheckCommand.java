package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Looks for damage. */
@Command(
    name = "check",
    description = {
      "Verify everything that a pool holds, mounted or not: read it as of the last commit, and",
      "compare it with the books of the pool's space. Prints each finding in a line that begins",
      "with a stable id, and ends with 0 only when there is none.",
    },
    footer = {
      "",
      "Example:",
      "  cowfs check /srv/pool",
    })
public final class CheckCommand extends PoolCommand {
  @Parameters(paramLabel = "PATH", description = "A pool or a mount point.")
  private String target;

  CheckCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    target.refuseSnapshot(PoolVerb.CHECK.text());
    List<String> findings = session.check();
    findings.forEach(finding -> out.println(ErrorLine.oneLine(finding)));
    if (!findings.isEmpty()) {
      throw new IOException(findings.size() == 1 ? "1 finding" : findings.size() + " findings");
    }
    out.println("no errors found");
  }
}
