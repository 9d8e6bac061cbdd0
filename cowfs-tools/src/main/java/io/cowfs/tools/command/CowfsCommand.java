package io.cowfs.tools.command;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line as a whole: finds the verb and runs it. */
@Command(
    name = "cowfs",
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
  @Spec private CommandSpec spec;

  private CowfsCommand() {}

  /** The verbs in the order of the help. */
  private static Map<String, Supplier<Object>> verbs(CommandRunner runner) {
    Map<String, Supplier<Object>> verbs = new LinkedHashMap<>();
    verbs.put("init", () -> new InitCommand(runner));
    verbs.put("mount", () -> new MountCommand(runner));
    verbs.put("umount", () -> new UmountCommand(runner));
    verbs.put("snapshot", () -> new SnapshotCommand(runner));
    verbs.put("list", () -> new ListCommand(runner));
    verbs.put("diff", () -> new DiffCommand(runner));
    verbs.put("rollback", () -> new RollbackCommand(runner));
    verbs.put("destroy", () -> new DestroyCommand(runner));
    verbs.put("create", () -> new CreateCommand(runner));
    verbs.put("sync", () -> new SyncCommand(runner));
    verbs.put("status", () -> new StatusCommand(runner));
    verbs.put(MountsCommand.NAME, () -> new MountsCommand(runner));
    verbs.put("help", HelpCommand::new);
    return verbs;
  }

  /**
   * Builds the parser.
   *
   * @param verb the verb that will be run, if known: the parser then leaves out the others, whose
   *     annotations take time to read
   */
  static CommandLine parser(CommandRunner runner, String verb) {
    CommandLine parser = new CommandLine(new CowfsCommand());
    Map<String, Supplier<Object>> verbs = verbs(runner);
    if (verbs.containsKey(verb) && !verb.equals("help")) {
      parser.addSubcommand(verb, verbs.get(verb).get());
    } else {
      verbs.forEach((name, command) -> parser.addSubcommand(name, command.get()));
    }
    addHelpOption(parser.getCommandSpec());
    parser.getSubcommands().values().forEach(c -> addHelpOption(c.getCommandSpec()));
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
          return CommandLine.ExitCode.SOFTWARE;
        });
    int code = parser.execute(arguments);
    out.flush();
    err.flush();
    return code;
  }

  private static int usageError(ParameterException e) {
    CommandLine at = e.getCommandLine();
    String name = at.getCommandSpec().qualifiedName();
    at.getErr().println("cowfs: " + ErrorLine.oneLine(e.getMessage()));
    at.getErr().println("Try '" + name + " --help'.");
    return CommandLine.ExitCode.USAGE;
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
