package io.cowfs.core.defects;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The list of planted defects fits the sources, the tests and docs/TESTING.md. That each is caught
 * is shown by {@code scripts/defects}.
 */
class DefectListTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final int DEFECTS_MIN = 25;

  /** All test classes of all modules, by their simple names. */
  private static final Map<String, Path> TESTS = testClasses();

  /** What stands before the first empty line. */
  private static final Pattern HEADER =
      Pattern.compile(
          "Plants: (?<plants>\\S.*)\nPromise: (?<promise>[a-z]+)\n"
              + "Test: (?<module>cowfs-[a-z]+) (?<class>\\w+)(#(?<method>\\w+))?( -D\\S+=\\S+)*");

  private static final Pattern PATCHED = Pattern.compile("^\\+\\+\\+ b/(.*)$", Pattern.MULTILINE);

  /** A test, or a method of one, that the document names. */
  private static final Pattern NAMED_TEST = Pattern.compile("`(\\w+Test)(#(\\w+))?`");

  private static final Pattern NAMED_DEFECT = Pattern.compile("`([a-z]+(-[a-z]+)+)`");

  static List<Path> patches() throws IOException {
    List<Path> patches = new ArrayList<>();
    try (Stream<Path> modules = Files.list(ROOT)) {
      for (Path module : modules.sorted().toList()) {
        Path defects = module.resolve("src/test/defects");
        if (Files.isDirectory(defects)) {
          try (Stream<Path> files = Files.list(defects)) {
            files.sorted().map(ROOT::relativize).forEach(patches::add);
          }
        }
      }
    }
    return patches;
  }

  private static String nameOf(Path patch) {
    return patch.getFileName().toString().replaceFirst("\\.patch$", "");
  }

  private static String document() throws IOException {
    return Files.readString(ROOT.resolve("docs/TESTING.md"));
  }

  private static Map<String, Path> testClasses() {
    Map<String, Path> classes = new TreeMap<>();
    for (String module : List.of("cowfs-core", "cowfs-fuse", "cowfs-tools")) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(module).resolve("src/test/java"))) {
        files
            .filter(file -> file.toString().endsWith("Test.java"))
            .forEach(file -> classes.put(file.getFileName().toString().replace(".java", ""), file));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return classes;
  }

  private static void assertIsTest(String name, String method) throws IOException {
    assertTrue(TESTS.containsKey(name), () -> name + " is there");
    if (method != null) {
      String source = Files.readString(TESTS.get(name));
      assertTrue(source.contains("void " + method + "("), () -> name + " has " + method);
    }
  }

  @ParameterizedTest
  @MethodSource("patches")
  void aDefectSaysWhatItIsAndFitsTheSources(Path patch) throws Exception {
    String text = Files.readString(ROOT.resolve(patch));
    int end = text.indexOf("\n\n");
    assertTrue(end > 0, "a header, and an empty line");
    Matcher header = HEADER.matcher(text.substring(0, end));
    assertTrue(header.matches(), () -> text.substring(0, end));

    assertIsTest(header.group("class"), header.group("method"));
    assertTrue(
        TESTS.get(header.group("class")).startsWith(ROOT.resolve(header.group("module"))),
        header.group("module"));

    List<String> patched =
        PATCHED.matcher(text).results().map(found -> found.group(1)).collect(Collectors.toList());
    assertTrue(
        !patched.isEmpty() && patched.stream().allMatch(file -> file.contains("/src/main/java/")),
        patched::toString);
    assertApplies(patch);
  }

  private static void assertApplies(Path patch) throws IOException, InterruptedException {
    ProcessBuilder git =
        new ProcessBuilder("git", "apply", "--check", "--verbose", patch.toString())
            .directory(ROOT.toFile())
            .redirectErrorStream(true);
    // As it is without a repository: in one above this directory, nothing would be checked.
    git.environment().put("GIT_CEILING_DIRECTORIES", ROOT.getParent().toString());
    Process process = git.start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertEquals(0, process.waitFor(), output);
    assertTrue(output.startsWith("Checking patch"), output);
  }

  @Test
  void theDocumentHasEachDefectUnderThePromiseThatItBreaks() throws IOException {
    List<Path> patches = patches();
    assertTrue(patches.size() >= DEFECTS_MIN, "defects found: " + patches.size());
    Set<String> names = new TreeSet<>();
    Map<String, String> sections = sections();
    for (Path patch : patches) {
      assertTrue(names.add(nameOf(patch)), () -> nameOf(patch) + " is there once");
      String promise = Files.readAllLines(ROOT.resolve(patch)).get(1).replace("Promise: ", "");
      String section = sections.getOrDefault(promise, "");
      assertTrue(section.contains("`" + nameOf(patch) + "`"), () -> promise + ": " + patch);
    }
    Set<String> named = new TreeSet<>();
    for (String section : sections.values()) {
      NAMED_DEFECT.matcher(section).results().map(found -> found.group(1)).forEach(named::add);
    }
    assertEquals(names, named);
  }

  /** The sections of the promises, by the word that begins their titles. */
  private static Map<String, String> sections() throws IOException {
    Map<String, String> sections = new TreeMap<>();
    for (String section : document().split("\n(?=### )", -1)) {
      Matcher title = Pattern.compile("### ([a-z]+): .*").matcher(section);
      if (title.lookingAt()) {
        sections.put(title.group(1), section.split("\n## ", 2)[0]);
      }
    }
    return sections;
  }

  @Test
  void theDocumentNamesTestsThatAreThere() throws IOException {
    List<MatchResult> named = NAMED_TEST.matcher(document()).results().toList();
    assertTrue(named.size() >= DEFECTS_MIN, "tests named: " + named.size());
    for (MatchResult test : named) {
      assertIsTest(test.group(1), test.group(3));
    }
  }
}
