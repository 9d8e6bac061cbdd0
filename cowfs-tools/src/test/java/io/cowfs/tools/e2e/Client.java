package io.cowfs.tools.e2e;

import io.cowfs.tools.client.ClientRunner;
import io.cowfs.tools.command.CowfsCommand;
import io.cowfs.tools.command.ErrorLine;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs commands of cowfs in this process, by the code of the program's client, for tests to which
 * it does not matter that a command is a process: that would cost more than what most of them are
 * about. A daemon that is started is one as ever, by the launcher under test.
 */
final class Client {
  /** What the launcher tells the client of itself. */
  private static final String LAUNCHER = "cowfs.launcher";

  private Client() {}

  /** A command line from its beginning to its end, with a timeout. */
  static Program.Result run(String... arguments) throws IOException {
    System.setProperty(LAUNCHER, Installation.forAllTests().launcherOfDaemons().toString());
    CompletableFuture<Program.Result> end = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                end.complete(runHere(arguments));
              } catch (RuntimeException | Error e) {
                end.completeExceptionally(e);
              }
            },
            "cowfs " + arguments[0]);
    thread.setDaemon(true);
    thread.start();
    try {
      return end.get(Program.TIMEOUT.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new AssertionError(
          "still running after " + Program.TIMEOUT + ": " + String.join(" ", arguments), e);
    } catch (ExecutionException e) {
      throw new AssertionError(String.join(" ", arguments), e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted: " + String.join(" ", arguments), e);
    }
  }

  /** As the program's main class does. */
  private static Program.Result runHere(String... arguments) {
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    ClientRunner runner = new ClientRunner(Path.of("/"), output, errors);
    PrintWriter out = new PrintWriter(output, true, StandardCharsets.UTF_8);
    PrintWriter err = new PrintWriter(errors, true, StandardCharsets.UTF_8);
    int code;
    try {
      OptionalInt forwarded = runner.forward(arguments);
      code =
          forwarded.isPresent()
              ? forwarded.getAsInt()
              : CowfsCommand.run(arguments, runner, out, err);
    } catch (IOException e) {
      ErrorLine.print(e, err);
      code = 1;
    }
    out.flush();
    err.flush();
    return new Program.Result(
        "cowfs " + String.join(" ", arguments),
        code,
        output.toString(StandardCharsets.UTF_8),
        errors.toString(StandardCharsets.UTF_8));
  }
}
