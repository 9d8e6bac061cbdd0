package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Prints how fragmented files and free space are. */
@Command(
    name = "frag",
    description = {
      "Print how fragmented a file, a directory, a dataset or a pool is: of how many extents the",
      "files consist, and in how many runs these lie on the device. A run is what follows each other",
      "both in the file and on the device. Of several files the ten are listed that have the most",
      "runs beyond what they need, which is one for the file and each MiB of it; then come the runs",
      "of free space by size.",
    },
    footer = {
      "",
      "Examples:",
      "  cowfs frag /mnt/data/mail.db",
      "  cowfs frag --json /srv/pool",
      "  cowfs frag --path db/mail.db /srv/pool/home",
    })
public final class FragCommand extends FilesCommand {
  /** The alternatives for the numbers. */
  static final class Numbers {
    @Option(names = "--bytes", description = "Exact sizes, in bytes.")
    private boolean bytes;

    @Option(names = "--json", description = "A JSON object; sizes in bytes.")
    private boolean json;
  }

  @ArgGroup private Numbers numbers = new Numbers();

  FragCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  List<String> options() {
    List<String> options = new ArrayList<>();
    if (numbers.bytes) {
      options.add("--bytes");
    }
    if (numbers.json) {
      options.add("--json");
    }
    return options;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    String dataset = dataset(session, target);
    FragListing listing = new FragListing(session.fragmentation(dataset, path()));
    if (numbers.json) {
      listing.printJson(target.pool(), dataset, out);
    } else {
      listing.print(dataset, numbers.bytes ? Long::toString : SizeText::human, out);
    }
  }
}
