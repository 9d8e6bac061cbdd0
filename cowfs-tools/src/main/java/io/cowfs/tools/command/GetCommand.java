package io.cowfs.tools.command;

import io.cowfs.core.dataset.EffectiveProperty;
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

  /** A line of the table. */
  record Row(String property, String value, String source) {}

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
    List<Row> all = new ArrayList<>();
    for (EffectiveProperty property : session.administration().properties(dataset, snapshot)) {
      all.add(new Row(property.name(), property.value(), property.source().toString()));
    }
    print(snapshot == null ? dataset : dataset + "@" + snapshot, choose(all, wanted), out);
  }

  /** Those that are wanted; a property of the user's own that is not set has no value. */
  static List<Row> choose(List<Row> all, List<String> wanted) throws TargetException {
    if (wanted.isEmpty()) {
      return all;
    }
    List<Row> chosen = new ArrayList<>();
    for (String name : wanted) {
      Row unset = name.startsWith(USER_PREFIX) ? new Row(name, NONE, NONE) : null;
      Row row = all.stream().filter(r -> r.property().equals(name)).findFirst().orElse(unset);
      if (row == null) {
        throw new TargetException("there is no property '" + name + "' here");
      }
      chosen.add(row);
    }
    return chosen;
  }

  private void print(String name, List<Row> rows, PrintWriter out) {
    if (layout.isJson()) {
      printJson(name, rows, out);
      return;
    }
    TextTable table =
        new TextTable()
            .column("NAME", Align.LEFT)
            .column("PROPERTY", Align.LEFT)
            .column("VALUE", Align.LEFT)
            .column("SOURCE", Align.LEFT);
    rows.forEach(row -> table.row(name, row.property(), row.value(), row.source()));
    if (layout.isBare()) {
      table.printBare(out);
    } else {
      table.print(out);
    }
  }

  private static void printJson(String name, List<Row> rows, PrintWriter out) {
    out.print("{\"name\": " + JsonText.quote(name) + ", \"properties\": [");
    String separator = "\n  ";
    for (Row row : rows) {
      out.print(
          "%s{\"property\": %s, \"value\": %s, \"source\": %s}"
              .formatted(
                  separator,
                  JsonText.quote(row.property()),
                  JsonText.quote(row.value()),
                  JsonText.quote(row.source())));
      separator = ",\n  ";
    }
    out.println("\n]}");
  }
}
