package io.cowfs.tools.command;

import io.cowfs.core.pool.Rewind;
import io.cowfs.core.pool.Rewind.Commit;
import io.cowfs.core.pool.Rewind.Difference;
import io.cowfs.core.pool.Rewind.Mode;
import io.cowfs.tools.command.TextTable.Align;
import io.cowfs.tools.target.Target;
import io.cowfs.tools.target.UsageException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Brings a whole pool back to an older commit. Works on pools that nobody has open. */
@Command(
    name = "rewind",
    description = {
      "Bring a whole pool, with all its datasets and snapshots, back to one of its last commits.",
      "That is for a pool of which the newest state is damaged, or in which something was lost that",
      "no snapshot has; nothing of it may be mounted. Newer commits are given up.",
      "",
      "The space that a commit frees is used again when two more are durable, so only the newest",
      "commits are whole for certain. Of the older ones everything is read that the newest whole",
      "one has not; a commit of which something was overwritten or is damaged is refused.",
    },
    footer = {
      "",
      "Examples:",
      "  cowfs rewind --list /srv/pool",
      "  cowfs rewind --dry-run --to 4711 /srv/pool",
      "  cowfs rewind --to 4711 /srv/pool",
    })
public final class RewindCommand implements Callable<Integer> {
  private static final String NAME = "rewind";

  @ArgGroup(multiplicity = "1")
  private What what;

  /** One of the two has to be said. */
  private static final class What {
    @Option(
        names = "--list",
        description = {
          "List the commits that can be gone back to, and look which are still whole.",
        })
    private boolean list;

    @Option(names = "--to", paramLabel = "TXG", description = "Go back to this commit.")
    private Long txg;
  }

  @Option(
      names = {"-n", "--dry-run"},
      description = "With --to: only tell what would be lost.")
  private boolean dryRun;

  @Option(names = "-H", description = "With --list: no header, fields separated by single tabs.")
  private boolean bare;

  @Parameters(paramLabel = "POOL", description = "A pool.")
  private String target;

  @Spec private CommandSpec spec;

  private final CommandRunner runner;

  RewindCommand(CommandRunner runner) {
    this.runner = runner;
  }

  /** The target as it was written. */
  public String target() {
    return target;
  }

  @Override
  public Integer call() throws IOException {
    if (what.list && dryRun) {
      throw new ParameterException(spec.commandLine(), "--dry-run goes with --to");
    }
    if (bare && !what.list) {
      throw new ParameterException(spec.commandLine(), "-H goes with --list");
    }
    return runner.rewind(this);
  }

  /**
   * Does the work; the pool is not mounted.
   *
   * @param target what {@link #target} was found to mean
   */
  public void execute(Target target) throws IOException {
    target.refuseSnapshot(NAME);
    if (target.dataset().isPresent()) {
      throw new UsageException("rewind takes a whole pool: leave out /" + target.dataset().get());
    }
    PrintWriter out = spec.commandLine().getOut();
    if (what.list) {
      list(Rewind.list(target.pool()), out);
    } else {
      Mode mode = dryRun ? Mode.DRY_RUN : Mode.EXECUTE;
      tell(Rewind.run(target.pool(), what.txg, mode), target.pool(), out);
    }
  }

  private void list(List<Commit> commits, PrintWriter out) {
    TextTable table =
        new TextTable()
            .column("TXG", Align.RIGHT)
            .column("COMMITTED", Align.LEFT)
            .column("STATE", Align.LEFT);
    for (Commit commit : commits) {
      table.row(
          Long.toString(commit.txg()),
          TimeText.local(commit.committed()),
          commit.damage().orElse("whole"));
    }
    if (bare) {
      table.printBare(out);
    } else {
      table.print(out);
    }
  }

  private void tell(Rewind.Result result, Path pool, PrintWriter out) {
    long commits = result.from().txg() - result.to().txg();
    out.println(
        "%s commit %d, %s"
            .formatted(
                dryRun ? "would go back to" : "gone back to",
                result.to().txg(),
                TimeText.local(result.to().committed())));
    out.println(
        "%s %d %s, up to %d, %s"
            .formatted(
                dryRun ? "would give up" : "given up:",
                commits,
                commits == 1 ? "commit" : "commits",
                result.from().txg(),
                TimeText.local(result.from().committed())));
    result
        .from()
        .damage()
        .ifPresent(damage -> out.println(ErrorLine.oneLine("which is damaged: " + damage)));
    if (result.differences().isEmpty()) {
      out.println("what was in them cannot be told");
    }
    for (Difference each : result.differences().orElse(List.of())) {
      String fate =
          switch (each.fate()) {
            case LOST -> dryRun ? "would lose" : "lost:";
            case BACK -> dryRun ? "would bring back" : "back:";
            case CHANGED -> dryRun ? "would change" : "changed:";
          };
      out.println(fate + " " + ErrorLine.oneLine(each.name()));
    }
    if (result.keptIndex() != null) {
      out.println("the old index is kept: " + ErrorLine.oneLine(result.keptIndex().toString()));
    }
    if (!dryRun && result.from().damage().isEmpty()) {
      out.println(
          "to undo this, before anything is written: cowfs rewind --to %d %s"
              .formatted(result.from().txg(), ShellText.word(pool.toString())));
    }
  }
}
