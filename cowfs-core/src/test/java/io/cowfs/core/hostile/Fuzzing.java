package io.cowfs.core.hostile;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;

/**
 * Runs a target of the fuzzer: a class with {@code fuzzerTestOneInput(byte[])}, which throws when
 * something is wrong, and {@code seeds()}. Inputs that once found something are kept as resources,
 * one file each, in a directory that is named like the class.
 */
public final class Fuzzing {
  /** Heap of the fuzzer, in MiB: what a decoder allocates is far below. */
  private static final int HEAP_MIB = 300;

  /** A decoder takes microseconds; whatever takes so long does not end. */
  private static final int INPUT_SECONDS_MAX = 20;

  private final Class<?> target;

  public Fuzzing(Class<?> target) {
    this.target = target;
  }

  /** The seeds, and the inputs that are kept. */
  public List<byte[]> inputs() throws ReflectiveOperationException, IOException {
    List<byte[]> inputs = new ArrayList<>();
    for (byte[] seed : (byte[][]) target.getMethod("seeds").invoke(null)) {
      inputs.add(seed);
    }
    URL kept = target.getResource(target.getSimpleName());
    if (kept != null) {
      try (Stream<Path> files = Files.list(Path.of(kept.toURI()))) {
        for (Path file : files.sorted().toList()) {
          inputs.add(Files.readAllBytes(file));
        }
      } catch (URISyntaxException e) {
        throw new IOException(e);
      }
    }
    return inputs;
  }

  /** Gives the target one input, in this process. */
  public void give(byte[] input) throws ReflectiveOperationException {
    try {
      target.getMethod("fuzzerTestOneInput", byte[].class).invoke(null, (Object) input);
    } catch (InvocationTargetException found) {
      throw new AssertionError(
          target.getSimpleName() + ": " + Base64.getEncoder().encodeToString(input),
          found.getCause());
    }
  }

  /**
   * Has Jazzer look for an input that the target does not bear, in a process of its own.
   *
   * @param work an empty directory
   */
  public void search(Path work, int seconds) throws Exception {
    Path corpus = Files.createDirectory(work.resolve("corpus"));
    int number = 0;
    for (byte[] input : inputs()) {
      Files.write(corpus.resolve("input" + number++), input);
    }
    Path output = work.resolve("output");
    Process process =
        new ProcessBuilder(command(work, corpus, seconds))
            .directory(work.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    int exit;
    try {
      exit = process.waitFor();
    } finally {
      process.destroyForcibly();
    }
    List<String> lines = Files.readAllLines(output, ISO_8859_1);
    if (exit != 0) {
      throw new AssertionError(
          "%s: exit code %d, %s%n%s"
              .formatted(target.getSimpleName(), exit, found(work), String.join("\n", lines)));
    }
    lines.stream()
        .filter(line -> line.startsWith("stat::number_of_executed_units"))
        .forEach(line -> System.out.println(target.getSimpleName() + ": " + line));
  }

  private List<String> command(Path work, Path corpus, int seconds) {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xmx" + HEAP_MIB + "m",
        "-XX:MaxDirectMemorySize=" + HEAP_MIB + "m",
        "-XX:ErrorFile=" + work.resolve("crash.log"),
        "--add-opens=java.base/java.nio=ALL-UNNAMED",
        "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
        "-cp",
        System.getProperty("java.class.path"),
        "com.code_intelligence.jazzer.Jazzer",
        "--target_class=" + target.getName(),
        "--instrumentation_includes=io.cowfs.core.**",
        "-max_total_time=" + seconds,
        "-timeout=" + INPUT_SECONDS_MAX,
        // The limit is the heap's: of what was resident, the system tells the peak of the process
        // that started this one, too.
        "-rss_limit_mb=0",
        "-print_final_stats=1",
        "-artifact_prefix=" + work + "/found-",
        corpus.toString());
  }

  /** The inputs that Jazzer has left, in base 64. */
  private static List<String> found(Path work) throws IOException {
    List<String> inputs = new ArrayList<>();
    try (Stream<Path> files = Files.list(work)) {
      for (Path file :
          files.filter(f -> f.getFileName().toString().startsWith("found-")).toList()) {
        inputs.add(
            file.getFileName()
                + " "
                + Base64.getEncoder().encodeToString(Files.readAllBytes(file)));
      }
    }
    return inputs;
  }
}
