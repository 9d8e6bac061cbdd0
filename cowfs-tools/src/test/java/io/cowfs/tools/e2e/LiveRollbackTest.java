package io.cowfs.tools.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Open files, mappings, working directories and names go on over a rollback where what they mean is
 * still there, and are refused where it is not. The scenarios, with what each of them asserts, are
 * the functions of {@code live.py}. Each runs with and without the kernel's writeback cache, and
 * over libfuse, where only a working directory that is gone is not known to be gone.
 */
@EnabledIf("io.cowfs.tools.e2e.Requirements#rootFuse")
final class LiveRollbackTest {
  @TempDir private static Path directory;
  private static final Map<String, MountedPool> POOLS = new HashMap<>();

  @ParameterizedTest(name = "{0}, {1}")
  @CsvSource({
    "handles_go_on, -owriteback=on",
    "handles_go_on, -owriteback=off",
    "handles_go_on, --transport=libfuse",
    "times_are_those_of_the_snapshot, -owriteback=on",
    "times_are_those_of_the_snapshot, -owriteback=off",
    "times_are_those_of_the_snapshot, --transport=libfuse",
    "a_rollback_can_be_undone, -owriteback=on",
    "a_rollback_can_be_undone, -owriteback=off",
    "a_rollback_can_be_undone, --transport=libfuse",
    "an_unlinked_file_lives_on, -owriteback=on",
    "an_unlinked_file_lives_on, -owriteback=off",
    "an_unlinked_file_lives_on, --transport=libfuse",
    "mappings_show_the_restored_content, -owriteback=on",
    "mappings_show_the_restored_content, -owriteback=off",
    "mappings_show_the_restored_content, --transport=libfuse",
    "an_executed_file_goes_on_or_is_gone, -owriteback=on",
    "an_executed_file_goes_on_or_is_gone, -owriteback=off",
    "an_executed_file_goes_on_or_is_gone, --transport=libfuse",
    "tail_follows, -owriteback=on",
    "tail_follows, -owriteback=off",
    "tail_follows, --transport=libfuse",
    "working_directories, -owriteback=on",
    "working_directories, -owriteback=off",
    "names_are_asked_for_again, -owriteback=on",
    "names_are_asked_for_again, -owriteback=off",
    "names_are_asked_for_again, --transport=libfuse",
    "appending_over_a_rollback_leaves_no_gap, -owriteback=on",
    "appending_over_a_rollback_leaves_no_gap, -owriteback=off",
    "appending_over_a_rollback_leaves_no_gap, --transport=libfuse",
    "overwriting_over_a_rollback_mixes_nothing, -owriteback=on",
    "overwriting_over_a_rollback_mixes_nothing, -owriteback=off",
    "overwriting_over_a_rollback_mixes_nothing, --transport=libfuse",
  })
  void usersGoOn(String scenario, String option) throws IOException {
    MountedPool pool = pool(option);
    String dataset = pool.pool() + "/" + scenario;
    Path root = Files.createDirectory(directory.resolve(scenario + option));
    pool.succeed("create", dataset);
    pool.succeed("mount", option, dataset, root.toString());
    try {
      Program.pythonThatAsks(command -> answer(pool, root, command), "live.py", scenario, root);
    } finally {
      pool.succeed("umount", root.toString());
    }
  }

  /** Does what a scenario asks for: {@code VERB SNAPSHOT}. */
  private static String answer(MountedPool pool, Path root, String command) throws IOException {
    String[] words = command.split(" ", -1);
    pool.succeed(words[0], root + "@" + words[1]);
    return "done";
  }

  /** The pool whose datasets are mounted with this option. */
  private static MountedPool pool(String option) throws IOException {
    MountedPool pool = POOLS.get(option);
    if (pool == null) {
      pool = MountedPool.create(Files.createDirectory(directory.resolve(option)), option);
      POOLS.put(option, pool);
    }
    return pool;
  }

  @AfterAll
  static void unmount() throws IOException {
    for (MountedPool pool : POOLS.values()) {
      pool.close();
    }
  }
}
