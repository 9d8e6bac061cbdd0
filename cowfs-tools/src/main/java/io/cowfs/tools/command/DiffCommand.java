package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Lists what changed between two states of a dataset. */
@Command(
    name = "diff",
    description = {
      "List what changed in a dataset from one snapshot to another, or to what the dataset is now.",
      "Takes time in proportion to what changed. One line for each name, in the order of the paths:",
      "",
      "  + PATH          was added",
      "  - PATH          was removed",
      "  R OLD -> PATH   was renamed; what is in a renamed directory is not listed for that",
      "  M PATH          has another content, time of modification, owner, mode or extended",
      "                  attributes; a directory is not modified by what happens in it",
      "",
      "Paths start at the root of the dataset; those of directories end with a slash. Bytes that are",
      "no printable UTF-8 are printed as \\NNN in octal, a backslash is doubled, and \" -> \" in a path",
      "is printed as \" -\\076 \".",
      "",
    },
    footer = {
      "",
      "With --json, each line is an object with the fields \"kind\" (\"added\", \"removed\", \"renamed\" or",
      "\"modified\"), \"path\", \"oldPath\" (of what was renamed, else null), \"type\" (\"file\",",
      "\"directory\", \"symlink\", \"fifo\", \"socket\", \"block-device\" or \"character-device\") and",
      "\"inode\". Where a path is no UTF-8, \"path\" or \"oldPath\" has U+FFFD for what is not, and",
      "\"pathBase64\" or \"oldPathBase64\" has its bytes.",
      "",
      "Examples:",
      "  cowfs diff /mnt/data@before-upgrade",
      "  cowfs diff --json /srv/pool/home@monday @friday",
    })
public final class DiffCommand extends PoolCommand {
  private static final String LIVE = "live";

  @Spec private CommandSpec spec;

  @Option(names = "--json", description = "JSON objects, one on each line.")
  private boolean json;

  @Parameters(
      index = "0",
      paramLabel = "PATH[/DATASET]@FROM",
      description = "Where PATH is a pool or a mount point.")
  private String target;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "@TO|live",
      defaultValue = LIVE,
      description = "Another snapshot of the dataset; or what it is now, as without it.")
  private String to;

  DiffCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    if (!to.equals(LIVE) && (to.length() < 2 || to.charAt(0) != '@')) {
      throw new ParameterException(
          spec.commandLine(), "neither @NAME nor " + LIVE + ": '" + to + "'");
    }
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    target();
    ChangeListing listing = new ChangeListing(out);
    session.diff(
        target.datasetOrDefault(),
        target.requireSnapshot(),
        to.equals(LIVE) ? null : to.substring(1),
        json ? listing::printJson : listing::printText);
  }
}
