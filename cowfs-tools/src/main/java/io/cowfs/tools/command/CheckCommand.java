package io.cowfs.tools.command;

import io.cowfs.core.pool.IndexRecovery;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Looks for damage. */
@Command(
    name = "check",
    description = {
      "Verify everything that a pool holds, mounted or not: read it as of the last commit, and",
      "compare it with the books of the pool's space. Prints each finding in a line that begins",
      "with a stable id, and ends with 0 only when there is none.",
      "",
      "The index of a pool (index/data.mdb) can be made anew from what the device has, when it is",
      "lost or damaged, and nothing of the pool is mounted. The old one is kept beside it.",
    },
    footer = {
      "",
      "Example:",
      "  cowfs check /srv/pool",
      "  cowfs check --rebuild-index /srv/pool",
    })
public final class CheckCommand extends PoolCommand {
  @Option(
      names = "--rebuild-index",
      description = {
        "First make the index anew, from the newest commit of which everything can be found.",
      })
  private boolean rebuildIndex;

  @Parameters(paramLabel = "PATH", description = "A pool or a mount point.")
  private String target;

  /** The index was made anew before the pool was opened. */
  private boolean rebuilt;

  CheckCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void beforeOpening(Target target) throws IOException {
    if (!rebuildIndex || rebuilt) {
      return;
    }
    target.refuseSnapshot(PoolVerb.CHECK.text());
    IndexRecovery.Result result = IndexRecovery.run(target.pool());
    rebuilt = true;
    result.passedOver().forEach(line -> out().println(ErrorLine.oneLine("given up: " + line)));
    out()
        .println(
            "the index is made anew as of commit %d, %s%s"
                .formatted(
                    result.txg(),
                    TimeText.local(result.committed()),
                    result.source() == IndexRecovery.Source.BACKUP ? ", from its backup" : ""));
    if (result.damagedIndex() != null) {
      out().println("the old one is kept: " + ErrorLine.oneLine(result.damagedIndex().toString()));
    }
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    target.refuseSnapshot(PoolVerb.CHECK.text());
    if (rebuildIndex && !rebuilt) {
      throw new IOException(
          target.pool() + ": the pool is mounted: its index is made anew only after umount");
    }
    List<String> findings = session.check();
    findings.forEach(finding -> out.println(ErrorLine.oneLine(finding)));
    if (!findings.isEmpty()) {
      throw new IOException(findings.size() == 1 ? "1 finding" : findings.size() + " findings");
    }
    out.println("no errors found");
  }
}
