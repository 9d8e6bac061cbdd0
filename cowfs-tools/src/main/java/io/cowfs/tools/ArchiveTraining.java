package io.cowfs.tools;

import io.cowfs.tools.command.MountsCommand;
import io.cowfs.tools.control.ControlRequest;
import io.cowfs.tools.control.ControlServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Runs each common command once, on a pool of its own in a temporary directory, so that the virtual
 * machine can list the classes that commands need (the launcher calls this after a build, with
 * {@code -XX:DumpLoadedClassList}, and makes an archive of them).
 */
public final class ArchiveTraining {
  private ArchiveTraining() {}

  /** Trains and exits with 0, or prints why not and exits with 1. */
  public static void main(String[] arguments) throws IOException {
    Path directory = Files.createTempDirectory("cowfs-training");
    try {
      train(directory.toRealPath());
    } finally {
      deleteRecursively(directory);
    }
    System.exit(0);
  }

  private static void train(Path directory) throws IOException {
    Path pool = directory.resolve("pool");
    run("init", pool.toString());
    run("snapshot", pool + "@local");
    run("list", pool.toString());
    ControlServer server =
        ControlServer.start(
            pool, (request, out, err) -> answer(request, directory, out), Duration.ofSeconds(10));
    try {
      run("list", "-H", "-p", pool.toString());
      run("snapshot", pool + "@remote");
      run("clone", pool + "@remote", pool + "/clone");
      run("rollback", pool + "@remote");
      run("sync", pool.toString());
      run("status", pool.toString());
    } finally {
      server.close();
    }
  }

  /** Answers as a daemon would that has the pool mounted at the directory. */
  private static int answer(ControlRequest request, Path mountPoint, OutputStream out) {
    try {
      String verb = request.arguments().get(0);
      String text = verb.equals(MountsCommand.NAME) ? "root\0" + mountPoint + "\0" : "done\n";
      out.write(text.getBytes(StandardCharsets.UTF_8));
      return 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void run(String... arguments) {
    if (Main.run(arguments) != 0) {
      throw new IllegalStateException("failed: " + List.of(arguments));
    }
  }

  private static void deleteRecursively(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
