package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** The list of changes is what programs did to the mount. */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
final class DiffMountTest {
  @TempDir private Path directory;
  private MountedPool mounted;

  @BeforeEach
  void mount() throws IOException {
    mounted = MountedPool.create(directory);
  }

  @AfterEach
  void unmount() throws IOException {
    mounted.close();
  }

  private String target(String snapshot) {
    return mounted.pool() + "@" + snapshot;
  }

  private void assertDiff(List<String> expected, String... arguments) throws IOException {
    String[] command = new String[arguments.length + 1];
    command[0] = "diff";
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    assertEquals(String.join("\n", expected), mounted.succeed(command).stripTrailing());
  }

  @Test
  void whatProgramsDoIsListed() throws IOException {
    Program.shell(
        mounted.root(),
        """
        mkdir -p src/deep doc gone; echo 1 > src/deep/a; echo 2 > src/b; echo 3 > doc/c
        echo 4 > gone/d; ln doc/c doc/c-link; ln -s target doc/s; echo 5 > 'odd -> name'
        echo 6 > replaced; echo 7 > touched; echo 8 > kept; echo 9 > mode
        """);
    mounted.succeed("snapshot", target("before"));
    assertDiff(List.of(), target("before"));
    Program.shell(
        mounted.root(),
        """
        mv src source; mv source/b doc/b; echo more >> doc/b; rm -r gone
        echo through the link >> doc/c-link; ln doc/s doc/s2; mv 'odd -> name' 'odd\\name'
        echo new > tmp; mv tmp replaced; chmod 600 mode; setfattr -n user.x -v y doc; cat kept
        touch -d 2001-01-01 touched; ln kept kept2; rm kept; printf x > "$(printf 'n\\n\\377')"
        mkfifo fifo
        """);
    List<String> changes =
        List.of(
            "M /doc/",
            "R /src/b -> /doc/b",
            "M /doc/b",
            "M /doc/c",
            "M /doc/c-link",
            "+ /doc/s2",
            "+ /fifo",
            "- /gone/",
            "- /gone/d",
            "R /kept -> /kept2",
            "M /mode",
            "+ /n\\012\\377",
            "R /odd -\\076 name -> /odd\\\\name",
            "- /replaced",
            "+ /replaced",
            "R /src/ -> /source/",
            "M /touched");
    assertDiff(changes, target("before"));
    assertDiff(changes, mounted.root() + "@before", "live");
    mounted.succeed("snapshot", target("after"));
    Program.shell(mounted.root(), "rm -r source doc; echo later > kept2");
    assertDiff(changes, target("before"), "@after");
    String json = mounted.succeed("diff", "--json", target("before"), "@after");
    Program.succeed(
        Path.of("/"),
        "python3",
        "-c",
        """
        import base64, json, sys
        changes = [json.loads(line) for line in sys.argv[1].splitlines()]
        assert len(changes) == int(sys.argv[2]), changes
        odd = [c for c in changes if 'pathBase64' in c]
        assert [base64.b64decode(c['pathBase64']) for c in odd] == [b'/n\\n\\xff'], odd
        assert changes[1]['kind'] == 'renamed' and changes[1]['oldPath'] == '/src/b', changes[1]
        assert changes[0]['type'] == 'directory' and changes[0]['oldPath'] is None, changes[0]
        """,
        json,
        Integer.toString(changes.size()));
    mounted.unmount();
    assertDiff(changes, target("before"), "@after");
    assertDiff(List.of(), target("after"), "@after");
    mounted.mount();
  }

  @Test
  void theReverseUndoesIt() throws IOException {
    Trees.make(mounted.path("tree"), 21, 300);
    mounted.succeed("snapshot", target("a"));
    Program.shell(mounted.path("tree"), "mv module-1 moved; rm -r module-0; cp -r moved copy");
    mounted.succeed("snapshot", target("b"));
    String[] there = mounted.succeed("diff", target("a"), "@b").split("\n", -1);
    String[] back = mounted.succeed("diff", target("b"), "@a").split("\n", -1);
    assertTrue(there.length > 50, "changes: " + there.length);
    TreeSet<String> mirrored = new TreeSet<>();
    for (String line : back) {
      mirrored.add(
          line.startsWith("R ")
              ? line.replaceFirst("R (.*) -> (.*)", "R $2 -> $1")
              : line.startsWith("+")
                  ? "-" + line.substring(1)
                  : line.startsWith("-") ? "+" + line.substring(1) : line);
    }
    assertEquals(new TreeSet<>(Arrays.asList(there)), mirrored);
  }

  @Test
  void wrongInputIsOneLine() throws IOException {
    mounted.succeed("snapshot", target("s"));
    for (String[] arguments :
        new String[][] {
          {"diff", target("nope")},
          {"diff", target("s"), "@nope"},
          {"diff", mounted.pool() + "/nope@s"},
        }) {
      Program.Result result = MountedPool.cowfs(arguments).expectExit(1);
      assertEquals("", result.output());
      assertEquals(1, result.errors().lines().count(), result::toString);
      assertTrue(result.errors().startsWith("cowfs: "), result::toString);
    }
    MountedPool.cowfs("diff", mounted.pool().toString()).expectExit(2);
    MountedPool.cowfs("diff", target("s"), "s").expectExit(2);
    MountedPool.cowfs("diff", target("s"), "@").expectExit(2);
  }
}
