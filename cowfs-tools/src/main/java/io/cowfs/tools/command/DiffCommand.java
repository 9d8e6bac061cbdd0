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
      "List what changed in a dataset from one snapshot to another, or to now, in time",
      "proportional to what changed. One line for each name, in the order of paths:",
      "",
      "  + PATH         was added",
      "  - PATH         was removed",
      "  R OLD -> PATH  was renamed; what is below it moved along, and is not listed",
      "  M PATH         has other content, modification time, owner, mode or extended",
      "                 attributes; what happens in a directory does not modify it",
      "",
      "Paths start at the root of the dataset; those of directories end with a slash.",
      "What is no printable UTF-8 is shown as \\NNN, in octal for each byte; a",
      "backslash is doubled, and an arrow in a path is shown as '-\\076'.",
      "",
    },
    footer = {
      "",
      "With --json, each line is an object: \"kind\" is added, removed, renamed or",
      "modified; \"path\"; \"oldPath\" is null but for renamed; \"type\" is file, directory,",
      "symlink, fifo, socket, block-device or character-device; \"inode\". A path that is",
      "no UTF-8 has U+FFFD for what is not, and is followed by its bytes, in base 64,",
      "as \"pathBase64\" or \"oldPathBase64\".",
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
