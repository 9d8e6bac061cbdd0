package io.cowfs.tools.posix;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.tools.e2e.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Nothing is left out of the contract in silence. */
final class FeatureTest {
  @ParameterizedTest
  @EnumSource
  void theTableOfTransportsTellsOfEach(Feature feature) throws IOException {
    List<String> table = Files.readAllLines(Checkout.path("docs/TRANSPORTS.md"));
    assertTrue(
        table.stream().anyMatch(line -> line.startsWith("| " + feature.row() + " |")),
        () -> "no row: " + feature.row());
  }

  @Test
  void whatHappensWithoutItIsAsserted() {
    assertEquals(
        EnumSet.allOf(Feature.class),
        Arrays.stream(OldProtocolTest.class.getDeclaredMethods())
            .map(test -> test.getAnnotation(Lacks.class))
            .filter(Objects::nonNull)
            .map(Lacks::value)
            .collect(Collectors.toSet()));
  }
}
