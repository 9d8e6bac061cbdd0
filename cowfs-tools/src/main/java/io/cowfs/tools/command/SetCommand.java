package io.cowfs.tools.command;

import io.cowfs.core.dataset.DatasetProperty;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Sets properties. */
@Command(
    name = "set",
    description = {
      "Set properties of a dataset, or properties of your own (user:NAME) also of a snapshot.",
      "All of them are set, or none.",
    },
    footer = {
      "",
      "What is set for a dataset holds for those below it as well, unless the list says",
      "that it is not inherited.",
      "",
      "Examples:",
      "  cowfs set /srv/pool/home compression=zstd-3 user:owner=anna",
      "  cowfs set /mnt/data snapshot.schedule=\"hourly:24 daily:30\"",
    })
public final class SetCommand extends PoolCommand {
  @Parameters(
      index = "0",
      paramLabel = "PATH[/DATASET][@NAME]",
      description = "Where PATH is a pool or a mount point.")
  private String target;

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "PROPERTY=VALUE",
      converter = PropertyAssignment.Converter.class,
      description = "What to set.")
  private List<PropertyAssignment> assignments;

  /** A footer with the properties before it. */
  static String[] withProperties(String... footer) {
    List<String> lines = new ArrayList<>(List.of("", "Properties, their values, and the default:"));
    for (DatasetProperty property : DatasetProperty.values()) {
      String own =
          switch (property.inheritance()) {
            case NONE -> "; not inherited";
            case POOL -> "; of the pool as a whole";
            case FROM_ABOVE -> "";
          };
      lines.add(
          "  %-18s %s (%s%s)"
              .formatted(property.text(), property.choices(), property.defaultValue(), own));
    }
    lines.addAll(List.of(footer));
    return lines.toArray(String[]::new);
  }

  SetCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    session
        .administration()
        .setProperties(
            target.datasetOrDefault(),
            target.snapshot().orElse(null),
            PropertyAssignment.toMap(assignments, this));
  }
}
