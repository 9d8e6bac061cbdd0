package io.cowfs.tools.command;

import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.tools.target.CowfsMount;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** Brings a dataset back to what it was some time ago. */
@Command(
    name = "undo",
    description = {
      "Make a dataset what it was some time ago, mounted or not: roll it back to the newest",
      "checkpoint or snapshot that is at least so old. What the dataset was before is kept as a",
      "snapshot. 'cowfs list --checkpoints' lists what can be gone back to.",
    },
    footer = {
      "",
      "Example:",
      "  cowfs undo /mnt/data 5m",
    })
public final class UndoCommand extends PoolCommand {
  @Parameters(
      index = "0",
      paramLabel = "PATH[/DATASET]",
      description = "Where PATH is a pool or a mount point.")
  private String target;

  @Parameters(
      index = "1",
      paramLabel = "AGE",
      converter = AgeConverter.class,
      description = "How far to go back, such as 90s, 5m, 1h30m, 2d or 1w.")
  private Duration age;

  UndoCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    target.refuseSnapshot(PoolVerb.UNDO.text());
    String dataset = target.datasetOrDefault();
    String snapshot = session.administration().snapshotOfAge(dataset, age);
    Optional<String> time =
        session.list().stream()
            .filter(info -> info.dataset().equals(dataset) && info.snapshot().equals(snapshot))
            .findFirst()
            .map(UndoCommand::time);
    String kept = session.administration().rollback(dataset, snapshot);
    out.println(
        "%s is what it was%s: %s@%s"
            .formatted(dataset, time.map(t -> " at " + t).orElse(""), dataset, snapshot));
    String source = CowfsMount.source(target.pool(), dataset) + "@" + kept;
    out.println("to undo this: cowfs rollback " + ShellText.word(source));
  }

  private static String time(DatasetInfo info) {
    return TimeText.local(info.created());
  }

  static final class AgeConverter implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String value) {
      try {
        return AgeText.parse(value);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
