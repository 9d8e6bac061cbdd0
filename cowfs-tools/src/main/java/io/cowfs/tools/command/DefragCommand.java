package io.cowfs.tools.command;

import io.cowfs.core.pool.DefragmentationReport;
import io.cowfs.core.pool.DefragmentationReport.Ending;
import io.cowfs.core.pool.Defragmenter;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Puts the extents of files together. */
@Command(
    name = "defrag",
    description = {
      "Put the extents of fragmented files together: of a file, of a directory and what is below",
      "it, of a dataset or of a pool, mounted or not, while it is in use. Data is written once more",
      "as it is stored, into long runs; small extents become large ones. What a file contains and",
      "all its attributes stay as they are.",
      "",
      "Of a pool, free space is put together as well: what is alone in parts of the device is moved",
      "to others, where that makes more of them free than it fills.",
      "",
      "What a snapshot, a clone or another copy of a range has stays where it is, so that it goes on",
      "being shared, and no space is taken. Automatic checkpoints keep what was moved for as long as",
      "they last. What is written to meanwhile is tried again twice, then left.",
      "",
      "The command returns when it is done, and stops when it is interrupted; what was moved by then",
      "stays moved. The property defrag.rate of the pool limits the bytes that are moved in a second.",
      "The property defrag.background has the files of a mounted pool defragmented by themselves",
      "while nothing is written to it: those with more surplus runs for each MiB than it says.",
    },
    footer = {
      "",
      "The exit code is 0 when it came to its end, and 1 when it was interrupted, space",
      "was too short, or something could not be read.",
      "",
      "Examples:",
      "  cowfs defrag /mnt/data/mail.db",
      "  cowfs defrag --json /srv/pool",
      "  cowfs defrag --path db/mail.db /srv/pool/home",
    })
public final class DefragCommand extends FilesCommand {
  private static final String BAR = "--bar";

  @Option(names = "--json", description = "Show the result as a JSON object; sizes in bytes.")
  private boolean json;

  @Option(names = BAR, hidden = true)
  private boolean bar;

  DefragCommand(CommandRunner runner) {
    super(runner);
  }

  /** Only the client knows where the output goes. */
  @Override
  public void resolveOperands(Target resolved, PathLookup paths) {
    bar = !json && Terminal.isStandardOutput();
  }

  @Override
  List<String> options() {
    List<String> options = new ArrayList<>();
    if (json) {
      options.add("--json");
    }
    if (bar) {
      options.add(BAR);
    }
    return options;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    String dataset = dataset(session, target);
    Defragmenter defragmenter = session.defragmenter();
    Defragmenter.Progress progress =
        (soFar, part) -> {
          if (bar) {
            out.print("\r" + DefragText.bar(soFar, part));
          }
          return !out.checkError();
        };
    DefragmentationReport report =
        dataset == null ? defragmenter.run(progress) : defragmenter.run(dataset, path(), progress);
    if (bar) {
      out.print("\r" + " ".repeat(DefragText.BAR_LINE_COLUMNS) + "\r");
    }
    if (json) {
      DefragText.printJson(target.pool(), dataset, report, out);
    } else {
      DefragText.print(report, out);
    }
    if (report.ending() == Ending.STOPPED) {
      throw new IOException(target.pool() + ": the defragmentation was interrupted");
    }
    if (report.ending() == Ending.NO_SPACE) {
      throw new IOException(target.pool() + ": there is too little free space to go on");
    }
    if (!report.damage().isEmpty()) {
      throw new IOException(target.pool() + ": some files are damaged and were left");
    }
  }
}
