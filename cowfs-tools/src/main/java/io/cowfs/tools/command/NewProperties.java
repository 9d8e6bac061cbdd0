package io.cowfs.tools.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** The properties that a new dataset gets. */
final class NewProperties {
  @Option(
      names = "-o",
      paramLabel = "PROPERTY=VALUE",
      converter = PropertyAssignment.Converter.class,
      description = "A property of the new dataset; may be repeated.")
  private List<PropertyAssignment> assignments = new ArrayList<>();

  /** The values by property. */
  Map<String, String> values(PoolCommand command) {
    return PropertyAssignment.toMap(assignments, command);
  }

  /** The options as they are written. */
  List<String> arguments() {
    List<String> arguments = new ArrayList<>();
    for (PropertyAssignment assignment : assignments) {
      arguments.addAll(List.of("-o", assignment.toString()));
    }
    return arguments;
  }
}
