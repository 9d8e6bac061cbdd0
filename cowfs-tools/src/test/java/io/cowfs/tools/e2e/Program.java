package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** Runs other programs to their end, with a timeout, and keeps what they say. */
public final class Program {
  static final Duration TIMEOUT = Duration.ofMinutes(3);

  private static final Map<String, String> ENVIRONMENT =
      Map.of(
          // Most daemons of tests live for seconds: compiling for speed would take most of them.
          "COWFS_DAEMON_FLAGS",
              Boolean.getBoolean("cowfs.soak")
                  ? ""
                  : "-XX:TieredStopAtLevel=1 -XX:CompileThresholdScaling=5",
          "JAVA_HOME", System.getProperty("java.home"),
          "LC_ALL", "C.UTF-8",
          "GIT_CONFIG_GLOBAL", "/dev/null",
          "GIT_CONFIG_NOSYSTEM", "1",
          "GIT_AUTHOR_NAME", "Author",
          "GIT_AUTHOR_EMAIL", "author@example.org",
          "GIT_COMMITTER_NAME", "Committer",
          "GIT_COMMITTER_EMAIL", "committer@example.org");

  /** The end of a program. */
  record Result(String command, int exitCode, String output, String errors) {
    Result expectExit(int expected) {
      assertEquals(expected, exitCode, this::toString);
      return this;
    }

    @Override
    public String toString() {
      return command + "\nexit " + exitCode + "\n" + output + errors;
    }
  }

  private Program() {}

  /** The standard output of a program that must end with exit code 0. */
  public static String succeed(Path directory, String... command) throws IOException {
    return run(directory, List.of(command)).expectExit(0).output();
  }

  /** Runs a shell script with the positional parameters given; it must succeed. */
  static String shell(Path directory, String script, Object... parameters) throws IOException {
    String[] command = new String[parameters.length + 4];
    command[0] = "sh";
    command[1] = "-euc";
    command[2] = script;
    command[3] = "sh";
    for (int i = 0; i < parameters.length; i++) {
      command[i + 4] = parameters[i].toString();
    }
    return succeed(directory, command);
  }

  /** Runs a Python script of the test resources; it must succeed. */
  static String python(String script, Object... parameters) throws IOException {
    String[] command = new String[parameters.length + 2];
    command[0] = "python3";
    command[1] = resource(script).toString();
    for (int i = 0; i < parameters.length; i++) {
      command[i + 2] = parameters[i].toString();
    }
    return succeed(Path.of("/"), command);
  }

  /**
   * Runs a Python script of the test resources that asks for things: each line that it prints is a
   * question, and gets a line as the answer, before it goes on. It must succeed.
   */
  static void pythonThatAsks(Answers answers, String script, Object... parameters)
      throws IOException {
    List<String> command = new ArrayList<>(List.of("python3", resource(script).toString()));
    for (Object parameter : parameters) {
      command.add(parameter.toString());
    }
    Path errors = Files.createTempFile("program", ".err");
    ProcessBuilder builder = new ProcessBuilder(command).directory(Path.of("/").toFile());
    builder.environment().putAll(ENVIRONMENT);
    Process process = builder.redirectError(errors.toFile()).start();
    AtomicBoolean late = new AtomicBoolean();
    CompletableFuture<Void> timeout =
        CompletableFuture.runAsync(
            () -> {
              late.set(process.isAlive());
              kill(process);
            },
            CompletableFuture.delayedExecutor(TIMEOUT.toSeconds(), TimeUnit.SECONDS));
    try (BufferedReader questions = process.inputReader(StandardCharsets.UTF_8);
        BufferedWriter writer = process.outputWriter(StandardCharsets.UTF_8)) {
      for (String line = questions.readLine(); line != null; line = questions.readLine()) {
        writer.write(answers.to(line) + "\n");
        writer.flush();
      }
      int code = process.waitFor();
      Result result = new Result(String.join(" ", command), code, "", text(errors));
      assertFalse(late.get(), () -> "still running after " + TIMEOUT + ": " + result);
      result.expectExit(0);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted: " + command, e);
    } finally {
      timeout.cancel(false);
      kill(process);
      Files.delete(errors);
    }
  }

  /** What a program that asks is told. */
  interface Answers {
    /** The answer to a line, itself one line. */
    String to(String question) throws IOException;
  }

  static Result run(Path directory, List<String> command) throws IOException {
    Process process = null;
    Path output = Files.createTempFile("program", ".out");
    Path errors = Files.createTempFile("program", ".err");
    try {
      process =
          start(
              directory,
              command,
              ProcessBuilder.Redirect.to(output.toFile()),
              ProcessBuilder.Redirect.to(errors.toFile()));
      boolean ended = process.waitFor(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
      Result result =
          new Result(
              String.join(" ", command),
              ended ? process.exitValue() : -1,
              text(output),
              text(errors));
      if (!ended) {
        throw new AssertionError("still running after " + TIMEOUT + ": " + result);
      }
      return result;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted: " + command, e);
    } finally {
      if (process != null) {
        kill(process);
      }
      Files.delete(output);
      Files.delete(errors);
    }
  }

  /** Ends a process that still runs, with all that it started. */
  private static void kill(Process process) {
    if (process.isAlive()) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  /** A shell script that becomes a program as {@link #start} would start it. */
  static String environmentAsScript(Path program) {
    StringBuilder script = new StringBuilder("#!/bin/sh\n");
    ENVIRONMENT.forEach(
        (name, value) -> script.append("export ").append(name + "='" + value + "'\n"));
    return script.append("exec '" + program + "' \"$@\"\n").toString();
  }

  /** Starts a program without waiting for it. */
  public static Process start(
      Path directory,
      List<String> command,
      ProcessBuilder.Redirect output,
      ProcessBuilder.Redirect errors)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
    builder.environment().putAll(ENVIRONMENT);
    builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    return builder.redirectOutput(output).redirectError(errors).start();
  }

  private static Path resource(String name) {
    try {
      return Path.of(Program.class.getResource(name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String text(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }
}
