package io.cowfs.core.hostile;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever its bytes are, a decoder gives a value or the exception that it documents. */
final class HostileInputTest {
  private static final boolean SOAK = Boolean.getBoolean("cowfs.soak");
  private static final int SEARCH_SECONDS = SOAK ? 600 : 12;

  @TempDir private Path directory;

  static List<Class<?>> targets() {
    return DecodersFuzz.TARGETS;
  }

  /** Short searches take most of their time to start. */
  static List<Class<?>> searched() {
    return SOAK ? DecodersFuzz.TARGETS : List.of(DecodersFuzz.class);
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
  @MethodSource("searched")
  void aFuzzerFindsNothing(Class<?> target) throws Exception {
    new Fuzzing(target).search(directory, SEARCH_SECONDS);
  }
}
