package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import org.junit.jupiter.api.Test;

final class IdSetTest {
  @Test
  void hasWhatWasAddedInAnyOrder() throws Exception {
    IdSet.Builder builder = new IdSet.Builder();
    for (long id = 1_000; id > 0; id -= 3) {
      builder.append(id);
    }
    IdSet set = builder.build("twice");
    assertEquals(334, set.size());
    assertTrue(set.contains(1L) && set.contains(1_000L) && set.contains(502L));
    assertFalse(set.contains(2L) || set.contains(0L) || set.contains(1_003L));
  }

  @Test
  void equalsAnyOtherSetOfTheSameIds() throws Exception {
    IdSet.Builder builder = new IdSet.Builder();
    builder.add(7);
    builder.add(7);
    builder.add(5);
    assertEquals(Set.of(5L, 7L), builder.build("twice"));
    assertEquals(Set.of(), new IdSet.Builder().build("twice"));
  }

  @Test
  void anIdThatComesBackIsRefused() {
    IdSet.Builder builder = new IdSet.Builder();
    builder.append(7);
    builder.append(5);
    builder.append(7);
    assertEquals(
        "twice", assertThrows(BadRecordException.class, () -> builder.build("twice")).getMessage());
  }
}
