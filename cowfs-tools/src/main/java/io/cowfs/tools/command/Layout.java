package io.cowfs.tools.command;

import picocli.CommandLine.Option;

/** The alternatives to a table for people, as a group of options. */
final class Layout {
  @Option(names = "-H", description = "No header, fields separated by single tabs.")
  private boolean bare;

  @Option(
      names = "--json",
      description = "A JSON object; sizes in bytes, times in seconds since 1970.")
  private boolean json;

  boolean isJson() {
    return json;
  }

  boolean isBare() {
    return bare;
  }
}
