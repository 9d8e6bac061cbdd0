package io.cowfs.tools;

import io.cowfs.tools.client.ClientRunner;
import io.cowfs.tools.command.CowfsCommand;
import io.cowfs.tools.command.ErrorLine;
import io.cowfs.tools.daemon.Daemon;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;

/** The entry point of the command {@code cowfs}. */
public final class Main {
  /** System property: the directory that the command was called in, where the launcher left it. */
  private static final String WORKING_DIRECTORY = "cowfs.directory";

  /** System property of the JDK: how a warning looks that a command prints; one line. */
  private static final String LOG_FORMAT = "java.util.logging.SimpleFormatter.format";

  private Main() {}

  /** Runs the command line and exits with its code. */
  public static void main(String[] arguments) {
    if (arguments.length > 0 && arguments[0].equals(Daemon.VERB)) {
      System.exit(Daemon.runInBackground(List.of(arguments)));
    }
    System.exit(run(arguments));
  }

  /** Runs a command line as a client. */
  static int run(String... arguments) {
    System.setProperty(LOG_FORMAT, "cowfs: %5$s%n");
    OutputStream out = new FileOutputStream(FileDescriptor.out);
    OutputStream err = new FileOutputStream(FileDescriptor.err);
    PrintWriter outWriter = writer(out);
    PrintWriter errWriter = writer(err);
    Path directory = Path.of(System.getProperty(WORKING_DIRECTORY, System.getProperty("user.dir")));
    int code = run(arguments, new ClientRunner(directory, out, err), outWriter, errWriter);
    if (outWriter.checkError()) {
      errWriter.println("cowfs: cannot write to standard output");
      errWriter.flush();
      return 1;
    }
    return code;
  }

  private static int run(
      String[] arguments, ClientRunner runner, PrintWriter out, PrintWriter err) {
    try {
      OptionalInt code = runner.forward(arguments);
      return code.isPresent() ? code.getAsInt() : CowfsCommand.run(arguments, runner, out, err);
    } catch (IOException | RuntimeException | Error e) {
      // The rest, too: a class that cannot be loaded because the process has no descriptor left.
      ErrorLine.print(e, err);
      return 1;
    }
  }

  private static PrintWriter writer(OutputStream out) {
    return new PrintWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8));
  }
}
