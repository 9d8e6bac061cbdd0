package io.cowfs.tools.e2e;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Open files, mappings, working directories and names go on over a rollback where what they mean is
 * still there, and are refused where it is not. The scenarios, with what each of them asserts, are
 * the functions of {@code live.py}. Each runs with and without the kernel's writeback cache.
 */
@EnabledIf("io.cowfs.tools.e2e.Requirements#rootFuse")
final class LiveRollbackTest {
  @TempDir private Path directory;

  @ParameterizedTest(name = "{0}, writeback={1}")
  @CsvSource({
    "handles_go_on, on",
    "handles_go_on, off",
    "times_are_those_of_the_snapshot, on",
    "times_are_those_of_the_snapshot, off",
    "a_rollback_can_be_undone, on",
    "a_rollback_can_be_undone, off",
    "an_unlinked_file_lives_on, on",
    "an_unlinked_file_lives_on, off",
    "mappings_show_the_restored_content, on",
    "mappings_show_the_restored_content, off",
    "an_executed_file_goes_on_or_is_gone, on",
    "an_executed_file_goes_on_or_is_gone, off",
    "tail_follows, on",
    "tail_follows, off",
    "working_directories, on",
    "working_directories, off",
    "names_are_asked_for_again, on",
    "names_are_asked_for_again, off",
    "appending_over_a_rollback_leaves_no_gap, on",
    "appending_over_a_rollback_leaves_no_gap, off",
    "overwriting_over_a_rollback_mixes_nothing, on",
    "overwriting_over_a_rollback_mixes_nothing, off",
  })
  void usersGoOn(String scenario, String writeback) throws IOException {
    try (MountedPool mounted = MountedPool.create(directory, "-o", "writeback=" + writeback)) {
      Program.python("live.py", scenario, mounted.root(), MountedPool.launcher());
    }
  }
}
