package io.cowfs.tools.command;

import io.cowfs.core.dataset.PropertyValue;
import io.cowfs.tools.command.TextTable.Align;
import io.cowfs.tools.target.Target;
import io.cowfs.tools.target.TargetException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Prints properties. */
@Command(
    name = "get",
    description = {
      "Print the properties of a dataset or a snapshot: the values in force, and the source of",
      "each: local, inherited from a dataset above, or the default.",
    },
    footer = {
      "",
      "Examples:",
      "  cowfs get /srv/pool/home",
      "  cowfs get -H /mnt/data compression user:owner",
    })
public final class GetCommand extends PoolCommand {
  private static final String USER_PREFIX = "user:";
  private static final String NONE = "-";

  @ArgGroup private Layout layout = new Layout();

  @Parameters(
      index = "0",
      paramLabel = "PATH[/DATASET][@NAME]",
      description = "Where PATH is a pool or a mount point.")
  private String target;

  @Parameters(
      index = "1..*",
      paramLabel = "PROPERTY",
      description = "Only these, in this order (default: all).")
  private List<String> wanted = new ArrayList<>();

  GetCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    String dataset = target.datasetOrDefault();
    String snapshot = target.snapshot().orElse(null);
    List<PropertyValue> all = session.administration().properties(dataset, snapshot);
    print(snapshot == null ? dataset : dataset + "@" + snapshot, choose(all, wanted), out);
  }

  /** Those that are wanted; a property of the user's own that is not set has no value. */
  static List<PropertyValue> choose(List<PropertyValue> all, List<String> wanted)
      throws TargetException {
    if (wanted.isEmpty()) {
      return all;
    }
    List<PropertyValue> chosen = new ArrayList<>();
    for (String name : wanted) {
      PropertyValue unset =
          name.startsWith(USER_PREFIX) ? new PropertyValue(name, NONE, NONE) : null;
      PropertyValue value =
          all.stream().filter(v -> v.name().equals(name)).findFirst().orElse(unset);
      if (value == null) {
        throw new TargetException("there is no property '" + name + "' here");
      }
      chosen.add(value);
    }
    return chosen;
  }

  private void print(String name, List<PropertyValue> values, PrintWriter out) {
    if (layout.isJson()) {
      printJson(name, values, out);
      return;
    }
    TextTable table =
        new TextTable()
            .column("NAME", Align.LEFT)
            .column("PROPERTY", Align.LEFT)
            .column("VALUE", Align.LEFT)
            .column("SOURCE", Align.LEFT);
    values.forEach(value -> table.row(name, value.name(), value.value(), value.source()));
    if (layout.isBare()) {
      table.printBare(out);
    } else {
      table.print(out);
    }
  }

  private static void printJson(String name, List<PropertyValue> values, PrintWriter out) {
    out.print("{\"name\": " + JsonText.quote(name) + ", \"properties\": [");
    String separator = "\n  ";
    for (PropertyValue value : values) {
      out.print(
          "%s{\"property\": %s, \"value\": %s, \"source\": %s}"
              .formatted(
                  separator,
                  JsonText.quote(value.name()),
                  JsonText.quote(value.value()),
                  JsonText.quote(value.source())));
      separator = ",\n  ";
    }
    out.println("\n]}");
  }
}
