package io.cowfs.tools.architecture;

import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Holds the layers: a package names only packages below it. Read from the text of all main sources,
 * so that a fully qualified name counts as an import does; comments do not count.
 *
 * <pre>
 * tools -> pool, fuse        fuse -> vfs only
 * pool -> fs, stream, scrub -> dataset -> txg -> btree -> block -> alloc, codec, device
 * fs -> vfs                  vfs -> nothing
 * </pre>
 */
class ImportDirectionTest {
  private static final Set<String> BELOW_BLOCK = Set.of("alloc", "codec", "device", "memory");
  private static final Set<String> BELOW_BTREE = with(BELOW_BLOCK, "block");
  private static final Set<String> BELOW_TXG = with(BELOW_BTREE, "btree");
  private static final Set<String> BELOW_DATASET = with(BELOW_TXG, "txg");
  private static final Set<String> BELOW_FS = with(BELOW_DATASET, "dataset");
  private static final Set<String> BELOW_POOL = with(BELOW_FS, "fs", "stream", "scrub", "vfs");

  /** The packages of the core that a package of the core may name. */
  private static final Map<String, Set<String>> CORE =
      Map.ofEntries(
          entry("vfs", Set.of()),
          entry("memory", Set.of()),
          entry("device", Set.of("memory")),
          entry("codec", Set.of()),
          entry("alloc", Set.of("device")),
          entry("block", BELOW_BLOCK),
          entry("btree", BELOW_BTREE),
          entry("txg", BELOW_TXG),
          entry("dataset", BELOW_DATASET),
          entry("stream", BELOW_FS),
          entry("scrub", BELOW_FS),
          entry("fs", with(BELOW_FS, "vfs")),
          entry("pool", BELOW_POOL));

  /** The packages of the transport that one of them may name; each may name vfs and memory. */
  private static final Map<String, Set<String>> FUSE =
      Map.of(
          "errno", Set.of(),
          "wire", Set.of(),
          "operations", Set.of("errno", "wire"),
          "kernel", Set.of("errno", "wire", "operations"),
          "libfuse", Set.of("errno", "wire", "operations", "kernel"));

  /** The packages of the tools that one of them may name. */
  private static final Map<String, Set<String>> TOOLS =
      Map.of(
          "target", Set.of(),
          "control", Set.of("target"),
          "command", Set.of("target"),
          "daemon", Set.of("target", "control", "command"),
          "client", Set.of("target", "control", "command", "daemon"),
          "", Set.of("target", "control", "command", "daemon", "client"));

  /** What of the core the tools may name: the pool, and the types that its methods show. */
  private static final Set<String> SHOWN_BY_THE_POOL =
      Set.of(
          "io.cowfs.core.codec.CompressionSetting",
          "io.cowfs.core.dataset.ByteSize",
          "io.cowfs.core.dataset.DatasetInfo",
          "io.cowfs.core.dataset.DatasetException",
          "io.cowfs.core.dataset.DatasetProperty",
          "io.cowfs.core.dataset.NodeKind",
          "io.cowfs.core.device.NewDevice",
          "io.cowfs.core.dataset.EffectiveProperty",
          "io.cowfs.core.fs.FileChange",
          "io.cowfs.core.fs.FileRuns",
          "io.cowfs.core.fs.SnapshotRights",
          "io.cowfs.core.scrub.Scrub",
          "io.cowfs.core.scrub.ScrubStatus",
          "io.cowfs.core.vfs.FileSystem",
          "io.cowfs.core.vfs.FileType");

  /** Libraries, and where alone they are known: prefixes of qualified class names. */
  private static final Map<String, List<String>> LIBRARIES =
      Map.ofEntries(
          entry("org.lmdbjava", List.of("io.cowfs.core.dataset.Catalog")),
          entry(
              "jnr",
              List.of(
                  "io.cowfs.core.device.",
                  "io.cowfs.core.memory.",
                  "io.cowfs.fuse.kernel.",
                  "io.cowfs.fuse.libfuse.")),
          entry("com.kenai.jffi", List.of("io.cowfs.core.memory.", "io.cowfs.fuse.libfuse.")),
          entry("ru.serce.jnrfuse", List.of("io.cowfs.fuse.libfuse.")),
          entry("com.github.benmanes", List.of("io.cowfs.core.block.")),
          entry("com.dynatrace", List.of("io.cowfs.core.codec.", "io.cowfs.core.fs.")),
          entry("net.jpountz", List.of("io.cowfs.core.codec.")),
          entry("com.github.luben", List.of("io.cowfs.core.codec.")),
          entry("picocli", List.of("io.cowfs.tools.command.")),
          entry("com.sun.nio.file", List.of("io.cowfs.core.device.")),
          entry("jdk", List.of("io.cowfs.tools.control.")));

  private static final Pattern OWN = Pattern.compile("\\bio\\.cowfs\\.[a-z.]*\\.[A-Z]\\w*");
  private static final Pattern IMPORT = Pattern.compile("(?m)^import (?:static )?([\\w.]+)");
  private static final Pattern PACKAGE = Pattern.compile("(?m)^package ([\\w.]+);");
  private static final Pattern COMMENT = Pattern.compile("(?s)/\\*.*?\\*/|(?m)^\\s*//.*$");

  private static Set<String> with(Set<String> set, String... more) {
    Set<String> union = new TreeSet<>(set);
    union.addAll(List.of(more));
    return union;
  }

  private static Path root() {
    return Path.of(System.getProperty("basedir", System.getProperty("user.dir"))).resolve("..");
  }

  @Test
  void packagesNameOnlyThoseBelowThem() throws IOException {
    List<String> violations = new ArrayList<>();
    int sources = 0;
    for (String module : List.of("cowfs-core", "cowfs-fuse", "cowfs-tools")) {
      try (Stream<Path> files = Files.walk(root().resolve(module).resolve("src/main/java"))) {
        for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
          sources++;
          String className = file.getFileName().toString().replace(".java", "");
          violations.addAll(violations(className, Files.readString(file)));
        }
      }
    }
    assertTrue(sources > 100, "only " + sources + " sources found");
    assertEquals(List.of(), violations);
  }

  @Test
  void breachesOfEachRuleAreSeen() {
    assertBreach("io.cowfs.core.vfs", "import io.cowfs.core.device.BlockDevice;");
    assertBreach("io.cowfs.core.block", "import io.cowfs.core.btree.Key;");
    assertBreach("io.cowfs.core.dataset", "import io.cowfs.core.fs.Volume;");
    assertBreach("io.cowfs.core.txg", "Object o = new io.cowfs.core.dataset.Datasets();");
    assertBreach("io.cowfs.core.brandnew", "import java.util.List;");
    assertBreach("io.cowfs.core.fs", "import io.cowfs.core.brandnew.Thing;");
    assertBreach("io.cowfs.core.fs", "import org.lmdbjava.Env;");
    assertBreach("io.cowfs.core.dataset", "import org.lmdbjava.Env;");
    assertBreach("io.cowfs.core.fs", "import org.unknown.Library;");
    assertBreach("io.cowfs.core.fs", "import jnr.ffi.Pointer;");
    assertBreach("io.cowfs.core.fs", "import io.cowfs.fuse.kernel.KernelMount;");
    assertBreach("io.cowfs.fuse.kernel", "import io.cowfs.core.fs.Volume;");
    assertBreach("io.cowfs.fuse.wire", "import io.cowfs.fuse.kernel.KernelMount;");
    assertBreach("io.cowfs.fuse.kernel", "import io.cowfs.fuse.libfuse.LibfuseMount;");
    assertBreach("io.cowfs.fuse.kernel", "import ru.serce.jnrfuse.LibFuse;");
    assertBreach("io.cowfs.tools.command", "import io.cowfs.core.txg.TransactionGroups;");
    assertBreach("io.cowfs.tools.command", "import io.cowfs.tools.daemon.Daemon;");
    assertBreach("io.cowfs.tools.daemon", "import io.cowfs.fuse.wire.Request;");
  }

  @Test
  void whatIsAllowedIsNoBreach() {
    assertEquals(
        List.of(),
        violations("Catalog", "package io.cowfs.core.dataset;\nimport org.lmdbjava.Env;"));
    assertEquals(
        List.of(),
        violations(
            "Volume",
            "package io.cowfs.core.fs;\nimport io.cowfs.core.vfs.FsError;\n/** {@link"
                + " io.cowfs.core.pool.Pool} */\nimport java.util.List;"));
  }

  private static void assertBreach(String inPackage, String line) {
    List<String> found = violations("Planted", "package " + inPackage + ";\n" + line);
    assertEquals(1, found.size(), inPackage + ": " + line + " gives " + found);
  }

  private static List<String> violations(String className, String source) {
    String code = COMMENT.matcher(source).replaceAll("");
    Matcher declared = PACKAGE.matcher(code);
    if (!declared.find()) {
      return List.of(className + " has no package");
    }
    String from = declared.group(1);
    String name = from + "." + className;
    if (!isKnown(from)) {
      return List.of(name + ": unknown package, give it a place in the layers");
    }
    Set<String> breaches = new TreeSet<>();
    Matcher own = OWN.matcher(code);
    while (own.find()) {
      String to = own.group();
      if (!mayName(from, to)) {
        breaches.add(name + " must not know " + to);
      }
    }
    Matcher imported = IMPORT.matcher(code);
    while (imported.find()) {
      String to = imported.group(1);
      if (!to.startsWith("io.cowfs.") && !mayUseLibrary(name, to)) {
        breaches.add(name + " must not use " + to);
      }
    }
    return List.copyOf(breaches);
  }

  private static boolean isKnown(String name) {
    return CORE.containsKey(after("io.cowfs.core.", name))
        || FUSE.containsKey(after("io.cowfs.fuse.", name))
        || TOOLS.containsKey(after("io.cowfs.tools.", name))
        || name.equals("io.cowfs.tools");
  }

  /** What follows a prefix, or a text that no package is called. */
  private static String after(String prefix, String name) {
    return name.startsWith(prefix) ? name.substring(prefix.length()) : "-";
  }

  private static boolean mayName(String from, String toClass) {
    String to = toClass.substring(0, toClass.lastIndexOf('.'));
    if (from.equals(to)) {
      return true;
    }
    String core = after("io.cowfs.core.", from);
    if (CORE.containsKey(core)) {
      return CORE.get(core).contains(after("io.cowfs.core.", to));
    }
    String fuse = after("io.cowfs.fuse.", from);
    if (FUSE.containsKey(fuse)) {
      return to.equals("io.cowfs.core.vfs")
          || to.equals("io.cowfs.core.memory")
          || FUSE.get(fuse).contains(after("io.cowfs.fuse.", to));
    }
    String tools = from.equals("io.cowfs.tools") ? "" : after("io.cowfs.tools.", from);
    return to.equals("io.cowfs.core.pool")
        || SHOWN_BY_THE_POOL.contains(toClass)
        || to.equals("io.cowfs.fuse.kernel")
        || to.equals("io.cowfs.fuse.libfuse")
        || TOOLS.get(tools).contains(after("io.cowfs.tools.", to));
  }

  private static boolean mayUseLibrary(String fromClass, String to) {
    if (to.startsWith("java.")) {
      return true;
    }
    return LIBRARIES.entrySet().stream()
        .filter(library -> to.startsWith(library.getKey() + "."))
        .anyMatch(library -> library.getValue().stream().anyMatch(fromClass::startsWith));
  }
}
