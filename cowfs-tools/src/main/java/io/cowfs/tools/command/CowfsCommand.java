package io.cowfs.tools.command;

import io.cowfs.tools.target.UsageException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line as a whole: finds the verb and runs it. */
@Command(
    name = "cowfs",
    commandListHeading = "",
    versionProvider = CowfsCommand.Version.class,
    description = "A copy-on-write file system in user space, with snapshots.",
    footer = {
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong usage.",
      "",
      "Example:",
      "  cowfs mount --create /srv/pool /mnt/data",
      "  cowfs snapshot /mnt/data@first",
      "  cowfs help snapshot",
    })
public final class CowfsCommand implements Runnable {
  /** The exit code of a command line that makes no sense. */
  public static final int EXIT_USAGE = CommandLine.ExitCode.USAGE;

  /** Width of the column of verbs in the help. */
  private static final int VERB_COLUMNS = 12;

  @Spec private CommandSpec spec;

  private CowfsCommand() {}

  /**
   * Builds the parser.
   *
   * @param verb the verb that will be run, if known: the parser then leaves out the others, whose
   *     annotations take time to read
   */
  static CommandLine parser(CommandRunner runner, String verb) {
    CommandLine parser = new CommandLine(new CowfsCommand());
    List<VerbGroup> groups = VerbGroup.all(runner);
    Map<String, Supplier<Object>> verbs = new LinkedHashMap<>();
    groups.forEach(group -> verbs.putAll(group.verbs()));
    verbs.put("help", HelpCommand::new);
    if (verbs.containsKey(verb) && !verb.equals("help")) {
      parser.addSubcommand(verb, verbs.get(verb).get());
    } else {
      verbs.forEach((name, command) -> parser.addSubcommand(name, command.get()));
      parser
          .getHelpSectionMap()
          .put(UsageMessageSpec.SECTION_KEY_COMMAND_LIST, help -> commandList(groups, help));
    }
    addHelpOption(parser.getCommandSpec());
    for (CommandLine command : parser.getSubcommands().values()) {
      addHelpOption(command.getCommandSpec());
      UsageMessageSpec usage = command.getCommandSpec().usageMessage();
      usage.description(paragraphs(usage.description()));
      if (command.getCommand() instanceof SetCommand) {
        usage.footer(SetCommand.withProperties(usage.footer()));
      }
    }
    parser
        .getCommandSpec()
        .addOption(
            OptionSpec.builder("-V", "--version")
                .versionHelp(true)
                .description("Print the version and exit.")
                .build());
    // "@NAME" is a snapshot here, not a file with arguments.
    parser.setExpandAtFiles(false);
    return parser;
  }

  /** Joins lines to paragraphs, which are broken where the help ends; not those with an indent. */
  private static String[] paragraphs(String... lines) {
    List<String> paragraphs = new ArrayList<>();
    boolean open = false;
    for (String line : lines) {
      boolean apart = line.isEmpty() || line.startsWith(" ");
      if (open && !apart) {
        paragraphs.set(paragraphs.size() - 1, paragraphs.get(paragraphs.size() - 1) + " " + line);
      } else {
        paragraphs.add(line);
      }
      open = !apart;
    }
    return paragraphs.toArray(String[]::new);
  }

  /** The verbs that are not hidden, group by group. */
  private static String commandList(List<VerbGroup> groups, Help help) {
    StringBuilder list = new StringBuilder();
    for (VerbGroup group : groups) {
      list.append("%n%s:%n".formatted(group.heading()));
      Help.TextTable table =
          Help.TextTable.forColumns(
              help.colorScheme(),
              new Help.Column(VERB_COLUMNS, 2, Help.Column.Overflow.SPAN),
              new Help.Column(
                  help.commandSpec().usageMessage().width() - VERB_COLUMNS,
                  0,
                  Help.Column.Overflow.WRAP));
      for (String verb : group.verbs().keySet()) {
        Help command = help.subcommands().get(verb);
        if (command != null) {
          table.addRowValues(verb, firstSentence(command.commandSpec().usageMessage()));
        }
      }
      list.append(table);
    }
    return list.toString();
  }

  /** What comes before the first full stop or colon. */
  private static String firstSentence(UsageMessageSpec usage) {
    return usage.description()[0].split("[.:]( |$)", 2)[0] + ".";
  }

  private static void addHelpOption(CommandSpec command) {
    if (command.findOption("--help") == null) {
      command.addOption(
          OptionSpec.builder("-h", "--help")
              .usageHelp(true)
              .description("Print this help and exit.")
              .build());
    }
  }

  /**
   * Runs a command line.
   *
   * @return the exit code
   */
  public static int run(
      String[] arguments, CommandRunner runner, PrintWriter out, PrintWriter err) {
    String verb = arguments.length == 0 ? "" : arguments[0];
    CommandLine parser = parser(runner, verb);
    parser.setOut(out);
    parser.setErr(err);
    parser.setParameterExceptionHandler((e, args) -> usageError(e));
    parser.setExecutionExceptionHandler(
        (e, commandLine, result) -> {
          ErrorLine.print(e, commandLine.getErr());
          return e instanceof UsageException
              ? commandLine.getCommandSpec().exitCodeOnInvalidInput()
              : commandLine.getCommandSpec().exitCodeOnExecutionException();
        });
    int code = parser.execute(arguments);
    out.flush();
    err.flush();
    return code;
  }

  private static int usageError(ParameterException e) {
    CommandLine at = e.getCommandLine();
    String name = at.getCommandSpec().qualifiedName();
    at.getErr().println("cowfs: " + ErrorLine.oneLine(UsageMessage.of(e)));
    at.getErr().println("Try '" + name + " --help'.");
    return at.getCommandSpec().exitCodeOnInvalidInput();
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "no command given");
  }

  /** The version that the build wrote into the resources. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() throws IOException {
      Properties properties = new Properties();
      try (InputStream in = CowfsCommand.class.getResourceAsStream("version.properties")) {
        properties.load(in);
      }
      return new String[] {
        "cowfs " + properties.getProperty("version"), "Java " + System.getProperty("java.version"),
      };
    }
  }
}
