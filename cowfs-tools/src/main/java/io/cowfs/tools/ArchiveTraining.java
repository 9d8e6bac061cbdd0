package io.cowfs.tools;

import io.cowfs.core.fs.SnapshotRights;
import io.cowfs.core.pool.FileRehearsal;
import io.cowfs.core.pool.Pool;
import io.cowfs.fuse.kernel.Mount;
import io.cowfs.tools.command.MountsCommand;
import io.cowfs.tools.control.ControlRequest;
import io.cowfs.tools.control.ControlServer;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarInputStream;
import java.util.stream.Stream;

/**
 * Runs each common command once, on a pool of its own in a temporary directory, uses files there as
 * programs would through a mount, and loads what a daemon needs beyond that, so that the virtual
 * machine can list the classes (the launcher calls this after a build, with {@code
 * -XX:DumpLoadedClassList}, and makes an archive of them).
 */
public final class ArchiveTraining {
  private static final String CLASS_SUFFIX = ".class";

  private ArchiveTraining() {}

  /** Trains and exits with 0, or prints why not and exits with 1. */
  public static void main(String[] arguments) throws IOException {
    for (Class<?> member : List.of(Main.class, Mount.class, Pool.class)) {
      loadAll(member);
    }
    Path directory = Files.createTempDirectory("cowfs-training");
    try {
      train(directory.toRealPath());
    } finally {
      deleteRecursively(directory);
    }
    System.exit(0);
  }

  /** Loads every class of the jar that has the class given. */
  private static void loadAll(Class<?> member) throws IOException {
    URL jar = member.getProtectionDomain().getCodeSource().getLocation();
    try (JarInputStream entries = new JarInputStream(jar.openStream())) {
      for (JarEntry entry = entries.getNextJarEntry();
          entry != null;
          entry = entries.getNextJarEntry()) {
        if (entry.getName().endsWith(CLASS_SUFFIX)) {
          load(entry.getName(), member.getClassLoader());
        }
      }
    }
  }

  private static void load(String entry, ClassLoader loader) {
    String name = entry.substring(0, entry.length() - CLASS_SUFFIX.length()).replace('/', '.');
    try {
      Class.forName(name, false, loader);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
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
    try (Pool opened = Pool.open(pool)) {
      FileRehearsal.run(opened.browsableFileSystem(Target.DEFAULT_DATASET, SnapshotRights.OWNER));
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
