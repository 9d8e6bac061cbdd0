package io.cowfs.core.hostile;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.alloc.DeferredFreesFuzz;
import io.cowfs.core.block.PointerFuzz;
import io.cowfs.core.btree.NodeFuzz;
import io.cowfs.core.codec.DecompressionFuzz;
import io.cowfs.core.dataset.IndexFileFuzz;
import io.cowfs.core.dataset.RecordsFuzz;
import io.cowfs.core.device.LabelFuzz;
import io.cowfs.core.fs.ItemsFuzz;
import io.cowfs.core.fs.TreeFuzz;
import io.cowfs.core.txg.RootRecordFuzz;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever its bytes are, a decoder gives a value or the exception that it documents. */
final class HostileInputTest {
  private static final int SEARCH_SECONDS = Boolean.getBoolean("cowfs.soak") ? 600 : 3;

  @TempDir private Path directory;

  static List<Class<?>> targets() {
    return List.of(
        LabelFuzz.class,
        RootRecordFuzz.class,
        PointerFuzz.class,
        DecompressionFuzz.class,
        NodeFuzz.class,
        ItemsFuzz.class,
        TreeFuzz.class,
        DeferredFreesFuzz.class,
        RecordsFuzz.class,
        IndexFileFuzz.class);
  }

  @ParameterizedTest
  @MethodSource("targets")
  @Timeout(60)
  void whatWasFoundOnceIsBorne(Class<?> target) throws Exception {
    Fuzzing fuzzing = new Fuzzing(target);
    List<byte[]> inputs = fuzzing.inputs();
    assertTrue(!inputs.isEmpty());
    for (byte[] input : inputs) {
      fuzzing.give(input);
    }
  }

  @ParameterizedTest
  @MethodSource("targets")
  void aFuzzerFindsNothing(Class<?> target) throws Exception {
    new Fuzzing(target).search(directory, SEARCH_SECONDS);
  }
}
