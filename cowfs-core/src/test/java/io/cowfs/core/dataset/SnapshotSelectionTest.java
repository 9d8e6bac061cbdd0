package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.dataset.DatasetException.Reason;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SnapshotSelectionTest {
  /** From old to new, which is not their order by name. */
  private static final List<String> SNAPSHOTS =
      List.of("d", "auto-1", "b", "auto-2", "auto-10", "a");

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "b|b",
        "d%b|d auto-1 b",
        "b%b|b",
        "%auto-1|d auto-1",
        "auto-10%|auto-10 a",
        "%d|d",
        "a%|a",
        "auto-*|auto-1 auto-2 auto-10",
        "auto-?|auto-1 auto-2",
        "*|d auto-1 b auto-2 auto-10 a",
        "?|d b a",
        "*-1*|auto-1 auto-10",
        "**a**|auto-1 auto-2 auto-10 a",
        "a*1|auto-1",
        "a,d|d a",
        "b,b,?|d b a",
        "auto-2%,%auto-1|d auto-1 auto-2 auto-10 a",
      })
  void whatIsSelectedComesOnceAndFromOldToNew(String text, String expected) throws Exception {
    assertEquals(List.of(expected.split(" ", -1)), select(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "x",
        "B",
        "auto",
        "d%x",
        "x%",
        "%x",
        "b%d",
        "auto-???",
        "x*",
        "a,x",
        "a,x*",
        "*,x"
      })
  void anItemThatSelectsNothingFailsTheWhole(String text) {
    assertRefused(Reason.NOT_FOUND, text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", ",", "a,", ",a", "a,,b", "%", "a%b%d", "%%", "a*%b", "a%?", "a b", "a/b", "a@b", "-*",
        ".*", "[a]", "{a}", "a\0", "ä*", "a\\*", "..", "a%-b", "a%b c"
      })
  void whatIsMalformedIsRefused(String text) {
    assertRefused(Reason.INVALID_NAME, text);
  }

  @Test
  void nothingIsSelectedWhereNothingIs() throws DatasetException {
    for (String text : new String[] {"*", "a", "a%", "%a"}) {
      SnapshotSelection selection = SnapshotSelection.parse(text);
      assertThrows(DatasetException.class, () -> selection.select(List.of()));
    }
  }

  @Test
  void longTextIsRefused() {
    assertRefused(Reason.NAME_TOO_LONG, "a".repeat(256));
    assertRefused(Reason.NAME_TOO_LONG, "*".repeat(256));
    assertRefused(Reason.NAME_TOO_LONG, "a,".repeat(SnapshotSelection.MAX_LENGTH / 2) + "a");
  }

  @Test
  void onlyASingleNameIsOneName() throws DatasetException {
    assertTrue(SnapshotSelection.parse("a").isOneName());
    for (String text : new String[] {"a,a", "a%a", "?", "a*"}) {
      assertFalse(SnapshotSelection.parse(text).isOneName(), text);
    }
  }

  @Test
  void patternsMatchAsARegularExpressionDoes() throws DatasetException {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    int found = 0;
    for (int i = 0; i < 20_000; i++) {
      String pattern = word(random, "ab*?", 6) + "*";
      String name = word(random, "ab", 8);
      String regex = pattern.replace("*", ".*").replace('?', '.');
      boolean expected = Pattern.matches(regex, name);
      SnapshotSelection selection = SnapshotSelection.parse(pattern);
      if (expected) {
        found++;
        assertEquals(List.of(name), selection.select(List.of(name)), pattern + " seed " + seed);
      } else {
        assertThrows(
            DatasetException.class,
            () -> selection.select(List.of(name)),
            () -> pattern + " " + name + " seed " + seed);
      }
    }
    assertTrue(found > 1_000, "seed " + seed);
  }

  @Test
  void aPatternMadeToBeSlowIsNot() throws DatasetException {
    List<String> names =
        IntStream.range(0, 10_000).mapToObj(i -> "a".repeat(249) + (100_000 + i)).toList();
    SnapshotSelection selection = SnapshotSelection.parse("a*".repeat(120) + "b");
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> assertThrows(DatasetException.class, () -> selection.select(names)));
    assertEquals(names, SnapshotSelection.parse("%" + names.get(9_999)).select(names));
  }

  @Test
  void anEmptyRangeSaysWhichEndIsNewer() {
    DatasetException e = assertThrows(DatasetException.class, () -> select("b%d"));
    assertEquals("the range 'b%d' is empty: 'b' is newer than 'd'", e.getMessage());
  }

  private static String word(Random random, String alphabet, int maxLength) {
    StringBuilder word = new StringBuilder();
    for (int left = 1 + random.nextInt(maxLength); left > 0; left--) {
      word.append(alphabet.charAt(random.nextInt(alphabet.length())));
    }
    return word.toString();
  }

  private static List<String> select(String text) throws DatasetException {
    return SnapshotSelection.parse(text).select(SNAPSHOTS);
  }

  private static void assertRefused(Reason reason, String text) {
    DatasetException e = assertThrows(DatasetException.class, () -> select(text));
    assertEquals(reason, e.reason(), e.getMessage());
    assertTrue(e.getMessage().chars().allMatch(c -> c >= ' ' && c <= '~'), e.getMessage());
  }
}
