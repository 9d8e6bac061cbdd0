package io.cowfs.tools.e2e;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What {@code scripts/install} puts in place: the program below a prefix of its own, the helpers
 * where mount(8) looks for them. Closing takes everything away again. The program is made of the
 * classes under test, in jars of its own, and other users can run it.
 */
final class Installation implements AutoCloseable {
  private static final Path HELPERS = Path.of("/sbin");

  private final Path directory;

  private Installation(Path directory) {
    this.directory = directory;
  }

  /** Whether this is root, and nobody has installed helpers here that would be replaced. */
  static boolean possible() throws IOException {
    return Requirements.rootFuse()
        && !Files.exists(HELPERS.resolve("mount.fuse.cowfs"), LinkOption.NOFOLLOW_LINKS)
        && !Files.exists(HELPERS.resolve("umount.fuse.cowfs"), LinkOption.NOFOLLOW_LINKS);
  }

  /** Installs the program, with helpers, below a directory. */
  static Installation in(Path directory) throws IOException {
    return installed(directory);
  }

  /** The program without helpers, which all tests of this virtual machine share. */
  static Installation forAllTests() {
    return Shared.INSTALLATION;
  }

  private static Installation installed(Path directory, String... options) throws IOException {
    Installation installation = new Installation(directory);
    Files.createDirectories(directory);
    installation.script(options).expectExit(0);
    return installation;
  }

  /** Made when the first test asks for it; taken away when the virtual machine ends. */
  private static final class Shared {
    static final Installation INSTALLATION = install();

    private static Installation install() {
      try {
        Path directory = Files.createTempDirectory("cowfs-under-test");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> Trees.delete(directory)));
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        Installation installation = installed(directory, "--no-helpers");
        installation.makeLauncherOfDaemons();
        return installation;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** The installed command. */
  Path command() {
    return prefix().resolve("bin/cowfs");
  }

  /**
   * The installed command, with the environment that tests give it: for a client in this process,
   * which has another one. Only what all tests share has it.
   */
  Path launcherOfDaemons() {
    return directory.resolve("launch");
  }

  private void makeLauncherOfDaemons() throws IOException {
    Path script = Files.writeString(launcherOfDaemons(), Program.environmentAsScript(command()));
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Path prefix() {
    return directory.resolve("prefix");
  }

  private Program.Result script(String... more) throws IOException {
    List<String> arguments = new ArrayList<>(List.of("--prefix", prefix().toString()));
    arguments.addAll(List.of(more));
    return script(directory, arguments);
  }

  /**
   * Runs {@code scripts/install}.
   *
   * @param directory where jars are made to install
   */
  static Program.Result script(Path directory, List<String> arguments) throws IOException {
    Path build = directory.resolve("build");
    if (!Files.exists(build)) {
      makeJars(Files.createDirectory(build));
    }
    List<String> command = new ArrayList<>(List.of("env", "COWFS_BUILD=" + build));
    command.add(Checkout.path("scripts/install").toString());
    command.addAll(arguments);
    return Program.run(Path.of("/"), command);
  }

  /** As the build does: one jar of our own classes, which names the others. */
  private static void makeJars(Path build) throws IOException {
    List<Path> classes = new ArrayList<>();
    StringBuilder others = new StringBuilder();
    for (String entry : mainClasspath().split(File.pathSeparator, -1)) {
      Path path = Path.of(entry);
      if (Files.isDirectory(path)) {
        classes.add(path);
      } else {
        Files.copy(path, build.resolve(path.getFileName()));
        others.append(path.getFileName()).append(' ');
      }
    }
    Manifest manifest = new Manifest();
    Attributes main = manifest.getMainAttributes();
    main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    main.put(Attributes.Name.MAIN_CLASS, "io.cowfs.tools.Main");
    main.put(Attributes.Name.CLASS_PATH, others.toString());
    main.putValue("Add-Opens", "java.base/java.nio java.base/sun.nio.ch");
    main.putValue("Enable-Native-Access", "ALL-UNNAMED");
    try (OutputStream file = Files.newOutputStream(build.resolve("cowfs.jar"));
        JarOutputStream jar = new JarOutputStream(file, manifest)) {
      for (Path directory : classes) {
        addAll(directory, jar);
      }
    }
  }

  /** The classes under test, and what they need. */
  private static String mainClasspath() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
        .filter(entry -> !entry.contains("test-classes"))
        .collect(Collectors.joining(File.pathSeparator));
  }

  private static void addAll(Path directory, JarOutputStream jar) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = directory.relativize(file).toString();
        if (!name.startsWith("META-INF/")) {
          jar.putNextEntry(new JarEntry(name));
          Files.copy(file, jar);
        }
      }
    }
  }

  @Override
  public void close() throws IOException {
    script("--uninstall").expectExit(0);
  }
}
