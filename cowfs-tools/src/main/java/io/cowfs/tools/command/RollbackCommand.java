package io.cowfs.tools.command;

import io.cowfs.core.pool.Restoration;
import io.cowfs.tools.target.Target;
import io.cowfs.tools.target.TargetException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Brings a dataset, or one path of it, back to a snapshot. */
@Command(
    name = "rollback",
    description = {
      "Bring a dataset back to a snapshot, mounted or not. Newer snapshots stay, and what the",
      "dataset was before is kept as a snapshot of its own.",
    },
    footer = {
      "",
      "Examples:",
      "  cowfs rollback /mnt/data@before-upgrade",
      "  cowfs rollback --dry-run /mnt/data@before-upgrade",
      "  cowfs rollback --path docs/readme.txt /mnt/data@monday",
      "  cd /mnt/data/docs && cowfs rollback --path ./readme.txt /mnt/data@monday",
    })
public final class RollbackCommand extends PoolCommand {
  /** Where each mount shows its snapshots. */
  private static final String SNAPSHOTS = ".cowfs";

  @Option(names = "--discard", description = "Do not keep what the dataset was before.")
  private boolean discard;

  @Option(
      names = {"-n", "--dry-run"},
      description = "Only list what would change, in the way of 'cowfs diff'.")
  private boolean dryRun;

  @Option(
      names = "--path",
      paramLabel = "PATH",
      description =
          "Bring back only this file or directory, and keep nothing of what it was. PATH starts at"
              + " the root of the dataset; if it begins with /, ./ or ../ it is an ordinary path"
              + " of this system, in a mount of the dataset.")
  private String path;

  @Parameters(
      paramLabel = "PATH[/DATASET]@NAME",
      description = "Where PATH is a pool or a mount point.")
  private String target;

  RollbackCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void resolveOperands(Target target, PathLookup paths) throws IOException {
    if (path != null && isOfThisSystem(path)) {
      path = paths.insideDataset(path, target);
    }
  }

  private static boolean isOfThisSystem(String path) {
    return path.startsWith("/")
        || path.startsWith("./")
        || path.startsWith("../")
        || path.equals(".")
        || path.equals("..");
  }

  @Override
  public List<String> arguments() {
    if (path == null) {
      return super.arguments();
    }
    List<String> arguments = new ArrayList<>();
    arguments.add(PoolVerb.ROLLBACK.text());
    if (discard) {
      arguments.add("--discard");
    }
    if (dryRun) {
      arguments.add("--dry-run");
    }
    arguments.addAll(List.of("--path=" + path, "--", target));
    return arguments;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    String dataset = target.datasetOrDefault();
    String snapshot = target.requireSnapshot();
    if (discard && path != null) {
      throw wrongUsage("--discard goes with a whole dataset, not with --path");
    }
    byte[] inside = path == null ? null : components(path).getBytes(StandardCharsets.UTF_8);
    if (dryRun) {
      preview(session, dataset, snapshot, inside, out);
    } else if (inside != null) {
      restore(session, dataset, snapshot, inside, out);
    } else if (discard) {
      session.administration().rollbackAndDiscard(dataset, snapshot);
    } else {
      String kept = session.administration().rollback(dataset, snapshot);
      out.println("the state before is kept as " + dataset + "@" + kept);
    }
  }

  /**
   * @param inside null for everything
   */
  private static void preview(
      PoolSession session, String dataset, String snapshot, byte[] inside, PrintWriter out)
      throws IOException {
    ChangeListing listing = new ChangeListing(out);
    session.diff(
        dataset,
        null,
        snapshot,
        change -> {
          if (inside == null
              || isAtOrBelow(change.path(), inside)
              || (change.oldPath() != null && isAtOrBelow(change.oldPath(), inside))) {
            listing.printText(change);
          }
        });
  }

  /**
   * @param path with a slash at its beginning, unlike {@code top}
   */
  static boolean isAtOrBelow(byte[] path, byte[] top) {
    int end = 1 + top.length;
    return path.length >= end
        && Arrays.equals(path, 1, end, top, 0, top.length)
        && (path.length == end || path[end] == '/');
  }

  private static void restore(
      PoolSession session, String dataset, String snapshot, byte[] inside, PrintWriter out)
      throws IOException {
    Restoration done = session.administration().restorePath(dataset, snapshot, inside);
    out.println(
        "%s of %s@%s: %d changed, %d added, %d removed"
            .formatted(
                ErrorLine.oneLine(new String(inside, StandardCharsets.UTF_8)),
                dataset,
                snapshot,
                done.changed(),
                done.added(),
                done.removed()));
  }

  /** The path with single slashes between its components. */
  static String components(String path) throws TargetException {
    List<String> components = new ArrayList<>();
    for (String component : path.split("/", -1)) {
      if (component.equals(".") || component.equals("..")) {
        throw new TargetException("a path from the root of a dataset has no '" + component + "'");
      }
      if (!component.isEmpty()) {
        components.add(component);
      }
    }
    if (components.isEmpty()) {
      throw new TargetException("that path is the whole dataset: leave out --path");
    }
    if (components.get(0).equals(SNAPSHOTS)) {
      throw new TargetException(
          "--path is what to bring back, not where a snapshot has it: leave out " + SNAPSHOTS);
    }
    return String.join("/", components);
  }
}
