package io.cowfs.tools.command;

import io.cowfs.core.pool.Destruction;
import io.cowfs.core.pool.PoolAdministration;
import io.cowfs.core.pool.PoolAdministration.Mode;
import io.cowfs.core.pool.PoolAdministration.Scope;
import io.cowfs.tools.target.Target;
import io.cowfs.tools.target.UsageException;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Destroys snapshots or datasets. */
@Command(
    name = "destroy",
    description = {
      "Destroy snapshots, or a dataset that is not mounted, for good. Returns at once; the space",
      "comes back in the background, which 'cowfs status' shows.",
    },
    footer = {
      "",
      "SELECTION is the name of a snapshot, a range FIRST%%LAST from old to new,",
      "a pattern with * and ?, or several of these with commas between them.",
      "",
      "Examples:",
      "  cowfs destroy /srv/pool/home@monday",
      "  cowfs destroy -n '/srv/pool/home@2025-*,monday%%friday'",
      "  cowfs destroy -r /srv/pool/home",
      "  cowfs destroy -r -n /srv/pool/home@monday",
    })
public final class DestroyCommand extends PoolCommand {
  @Option(
      names = {"-r", "--recursive"},
      description =
          "With the dataset destroy its snapshots and all datasets below it; or the snapshots also"
              + " of all datasets below it that have them.")
  private boolean recursive;

  @Option(
      names = {"-n", "--dry-run"},
      description = "Only print what would be destroyed, and the space that this would free.")
  private boolean dryRun;

  @Option(
      names = {"-v", "--verbose"},
      description = "Print what is destroyed, and the space that this frees.")
  private boolean verbose;

  @Parameters(
      paramLabel = "PATH[/DATASET][@SELECTION]",
      description = "Where PATH is a pool or a mount point.")
  private String target;

  DestroyCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    Destruction destruction = destroy(session.administration(), target);
    if (!dryRun && !verbose) {
      return;
    }
    for (String name : destruction.names()) {
      out.println((dryRun ? "would destroy " : "destroyed ") + name);
    }
    String freed = SizeText.human(destruction.freedBytes());
    out.println(dryRun ? "would free " + freed : "frees " + freed + " in the background");
  }

  private Destruction destroy(PoolAdministration administration, Target target) throws IOException {
    Scope scope = recursive ? Scope.WITH_DESCENDANTS : Scope.ONE;
    Mode mode = dryRun ? Mode.DRY_RUN : Mode.EXECUTE;
    if (target.snapshot().isPresent()) {
      return administration.destroySnapshots(
          target.datasetOrDefault(), target.requireSnapshot(), scope, mode);
    }
    if (target.dataset().isEmpty()) {
      throw new UsageException("no dataset or snapshot named: write POOL/DATASET");
    }
    return administration.destroyDataset(target.requireDataset(), scope, mode);
  }
}
