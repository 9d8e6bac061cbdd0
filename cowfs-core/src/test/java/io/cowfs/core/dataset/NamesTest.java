package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cowfs.core.dataset.DatasetException.Reason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class NamesTest {
  @Test
  void newSnapshotsAreNotNamedLikeCheckpoints() {
    DatasetException e =
        assertThrows(
            DatasetException.class,
            () -> Names.requireNewSnapshot("checkpoint-20261124-101530.500"));
    assertEquals(Reason.INVALID_NAME, e.reason());
    assertDoesNotThrow(() -> Names.requireNewSnapshot("checkpoint"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"root", "home/anna", "0", "a.b:c_d-e", "A/B/C9"})
  void datasetNamesAreAccepted(String name) {
    assertDoesNotThrow(() -> Names.requireDataset(name));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "/", "/a", "a/", "a//b", ".", "..", "a/..", "-a", "_a", "a b", "a@b", "ä", "a\n"
      })
  void otherDatasetNamesAreRefusedInOneLine(String name) {
    DatasetException e = assertThrows(DatasetException.class, () -> Names.requireDataset(name));
    assertEquals(Reason.INVALID_NAME, e.reason());
    assertFalse(e.getMessage().chars().anyMatch(c -> c < ' ' || c > '~'), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a/b", "@", "a@b", ".hidden", "a\u0000"})
  void otherSnapshotNamesAreRefused(String name) {
    DatasetException e = assertThrows(DatasetException.class, () -> Names.requireSnapshot(name));
    assertEquals(Reason.INVALID_NAME, e.reason());
  }

  @Test
  void theLongestNameIsAcceptedAndOneMoreIsNot() throws DatasetException {
    Names.requireDataset("a".repeat(Names.MAX_LENGTH));
    Names.requireSnapshot("a".repeat(Names.MAX_LENGTH));
    DatasetException e =
        assertThrows(
            DatasetException.class, () -> Names.requireSnapshot("a".repeat(Names.MAX_LENGTH + 1)));
    assertEquals(Reason.NAME_TOO_LONG, e.reason());
    assertEquals(
        "the snapshot name is 256 characters long; at most 255 are allowed", e.getMessage());
  }

  @Test
  void theMessageSaysWhatIsWrong() {
    DatasetException e =
        assertThrows(DatasetException.class, () -> Names.requireDataset("home/-x"));
    assertEquals(
        "'home/-x' is no dataset name: it must start with a letter or digit, not '-'",
        e.getMessage());
  }
}
