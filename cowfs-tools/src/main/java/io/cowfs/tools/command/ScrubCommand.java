package io.cowfs.tools.command;

import io.cowfs.core.scrub.Scrub;
import io.cowfs.core.scrub.ScrubStatus;
import io.cowfs.core.scrub.ScrubStatus.State;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Reads everything to find damage. */
@Command(
    name = "scrub",
    description = {
      "Read everything that a pool holds, and verify its checksums: data and nodes from the device",
      "itself, past all caches, and each block once, however many snapshots have it; also the",
      "index, the ring of root records and the labels.",
      "",
      "On a mounted pool it runs in the background, beside all other work, and the command returns",
      "at once. It goes on after an unmount or a crash when the pool is mounted again, from where",
      "it was. On a pool that is not mounted the command reads itself, and shows how far it is;",
      "one that was interrupted goes on.",
      "",
      "What is damaged is named with each dataset and snapshot that has it, and each of its paths",
      "there, in lines that begin with a stable id.",
      "",
      "The property scrub.rate of the pool limits the bytes that are read in a second.",
    },
    footer = {
      "",
      "Where the result is shown (by --status and --wait, and when the pool is not",
      "mounted), the exit code is 0 when nothing was found so far, and 1 when there is",
      "damage.",
      "",
      "Examples:",
      "  cowfs scrub /srv/pool",
      "  cowfs scrub --status /srv/pool",
      "  cowfs scrub --wait /srv/pool",
    })
public final class ScrubCommand extends PoolCommand {
  private static final String BAR = "--bar";

  private static final Duration LOOK_INTERVAL = Duration.ofMillis(250);

  /** What to do; to begin one where nothing is said. */
  static final class Action {
    @Option(names = "--pause", description = "Stop it until --resume, over unmounts.")
    private boolean pause;

    @Option(names = "--resume", description = "Let it go on.")
    private boolean resume;

    @Option(names = "--status", description = "Show how far it is, or the result of the last one.")
    private boolean status;
  }

  @ArgGroup private Action action = new Action();

  @Option(
      names = {"-w", "--wait"},
      description = "Return when it is finished, or paused, and show the result.")
  private boolean wait;

  @Option(names = "--json", description = "Show the result as a JSON object.")
  private boolean json;

  @Option(names = BAR, hidden = true)
  private boolean bar;

  @Parameters(paramLabel = "PATH", description = "A pool or a mount point.")
  private String target;

  ScrubCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    if (wait && action.pause) {
      throw wrongUsage("--wait has nothing to wait for with --pause");
    }
    return target;
  }

  /** Only the client knows where the output goes. */
  @Override
  public void resolveOperands(Target resolved, PathLookup paths) {
    bar = !json && Terminal.isStandardOutput();
  }

  @Override
  public List<String> arguments() {
    List<String> arguments = new ArrayList<>(super.arguments());
    if (bar) {
      arguments.add(1, BAR);
    }
    return arguments;
  }

  @Override
  public void execute(PoolSession session, Target resolved, PrintWriter out) throws IOException {
    resolved.refuseSnapshot(PoolVerb.SCRUB.text());
    Scrub scrub = session.scrub();
    if (action.pause) {
      scrub.pause();
      return;
    }
    boolean begins = !action.status;
    if (action.resume) {
      scrub.resume();
    } else if (begins) {
      scrub.start();
    }
    // Nobody else has an unmounted pool open, and it is closed when this is done.
    boolean inForeground = begins && session.mounts().isEmpty();
    if (wait || inForeground) {
      follow(scrub, out);
    }
    if (wait || inForeground || action.status) {
      showResult(resolved, scrub.status(), out);
    }
    if ((wait || inForeground) && scrub.status().state() == State.WAITING) {
      throw new IOException(resolved.pool() + ": the scrub was interrupted");
    }
  }

  private void follow(Scrub scrub, PrintWriter out) {
    ScrubStatus status = scrub.status();
    boolean gone = false;
    while (status.state() == State.RUNNING && !gone) {
      if (bar) {
        out.print("\r" + ScrubText.bar(status));
      }
      gone = out.checkError();
      status = scrub.await(LOOK_INTERVAL);
    }
    if (bar) {
      out.print("\r" + " ".repeat(ScrubText.BAR_LINE_COLUMNS) + "\r");
    }
  }

  private void showResult(Target resolved, ScrubStatus status, PrintWriter out) throws IOException {
    if (json) {
      ScrubText.printJson(resolved.pool(), status, out);
    } else {
      ScrubText.print(status, out);
    }
    if (status.errors() > 0) {
      throw new IOException(
          "%s: %s".formatted(resolved.pool(), ScrubText.errors(status.errors()) + " found"));
    }
  }
}
