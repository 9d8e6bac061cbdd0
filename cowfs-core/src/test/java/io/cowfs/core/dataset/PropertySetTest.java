package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.dataset.DatasetException.Reason;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PropertySetTest {
  private static final Instant NOW = Instant.parse("2026-11-24T10:15:00.123Z");

  @Test
  void aChangeLeavesTheSetItComesFromAlone() throws DatasetException {
    PropertySet one = PropertySet.EMPTY.set(NodeKind.HEAD, "quota", "1024M");
    PropertySet other = one.set(NodeKind.HEAD, "quota", "2G");
    assertEquals(Optional.of("1G"), one.get("quota"));
    assertEquals(Optional.of("2G"), other.get("quota"));
    assertTrue(PropertySet.EMPTY.isEmpty());
    assertEquals(PropertySet.EMPTY, other.inherit(NodeKind.HEAD, "quota"));
    assertSame(one, one.inherit(NodeKind.HEAD, "readonly"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"user:a", "user:org.example:backup_x-1", "user:0", "user:user:x"})
  void usersInventNamesForDatasetsAndSnapshots(String name) throws DatasetException {
    for (NodeKind kind : NodeKind.values()) {
      PropertySet set = PropertySet.EMPTY.set(kind, name, "grün \uD83D\uDC3B");
      assertEquals(Optional.of("grün \uD83D\uDC3B"), set.get(name));
      assertEquals(List.of(name), set.userNames());
      assertEquals(Optional.of(""), set.set(kind, name, "").get(name));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "user",
        "user:",
        "user:.a",
        "user:-",
        "user:a b",
        "user:ä",
        "user:a/b",
        "user:a\n",
        "USER:a",
        "hold:x",
        "cowfs:schedule",
        "cowfs:x",
        "nosuch",
        "Quota",
        "quota "
      })
  void otherNamesCannotBeSetOrInherited(String name) {
    for (NodeKind kind : NodeKind.values()) {
      assertReason(Reason.INVALID_NAME, () -> PropertySet.EMPTY.set(kind, name, "none"));
      assertReason(Reason.INVALID_NAME, () -> PropertySet.EMPTY.inherit(kind, name));
    }
  }

  @Test
  void snapshotsHaveNoPropertiesButThoseOfUsers() {
    for (DatasetProperty property : DatasetProperty.values()) {
      assertReason(
          Reason.INVALID_NAME,
          () -> PropertySet.EMPTY.set(NodeKind.SNAPSHOT, property.text(), property.defaultValue()));
    }
  }

  @Test
  void theLongestNameAndValueAreAcceptedAndOneMoreIsNot() throws DatasetException {
    String name = "user:" + "k".repeat(250);
    String value = "ä".repeat(512);
    assertEquals(Optional.of(value), PropertySet.EMPTY.set(NodeKind.HEAD, name, value).get(name));
    assertReason(
        Reason.NAME_TOO_LONG, () -> PropertySet.EMPTY.set(NodeKind.HEAD, name + "k", value));
    assertReason(
        Reason.INVALID_VALUE, () -> PropertySet.EMPTY.set(NodeKind.HEAD, name, value + "x"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"\0", "a\nb", "\t", "\u007f", "\u0085", "\ud83d", "\udc3b\ud83d"})
  void aValueThatIsNoLineOfTextIsRefused(String value) {
    assertReason(Reason.INVALID_VALUE, () -> PropertySet.EMPTY.set(NodeKind.HEAD, "user:a", value));
  }

  @Test
  void thereIsABoundOnEntries() throws DatasetException {
    PropertySet set = PropertySet.EMPTY;
    for (int i = 0; i < PropertySet.MAX_ENTRIES; i++) {
      set = set.set(NodeKind.HEAD, "user:" + i, "");
    }
    PropertySet full = set;
    assertReason(Reason.INVALID_VALUE, () -> full.set(NodeKind.HEAD, "user:x", ""));
    assertEquals(Optional.of("v"), full.set(NodeKind.HEAD, "user:7", "v").get("user:7"));
  }

  @Test
  void thereIsABoundOnBytesThatTheFormatKeepsTo() throws Exception {
    PropertySet set = PropertySet.EMPTY;
    int entryBytes = PropertySetFormat.entryBytes("user:10".length(), 1_013);
    assertEquals(PropertySet.MAX_BYTES, 64 * entryBytes);
    for (int i = 0; i < 64; i++) {
      set = set.set(NodeKind.HEAD, "user:" + (10 + i), "v".repeat(1_013));
    }
    PropertySet full = set;
    byte[] encoded = PropertySetFormat.encode(full);
    assertEquals(PropertySet.MAX_BYTES, encoded.length);
    assertEquals(full, PropertySetFormat.decode(encoded));
    assertReason(Reason.INVALID_VALUE, () -> full.set(NodeKind.HEAD, "user:10", "v".repeat(1_014)));
    assertReason(Reason.INVALID_VALUE, () -> full.withHold("x", NOW));
  }

  @Test
  void aHoldIsThereOnceAndUntilItIsReleased() throws DatasetException {
    PropertySet held = PropertySet.EMPTY.withHold("keep", NOW).withHold("backup:1", NOW);
    assertEquals(Map.of("keep", NOW, "backup:1", NOW), held.holds());
    assertReason(Reason.EXISTS, () -> held.withHold("keep", NOW));
    assertReason(Reason.NOT_FOUND, () -> held.withoutHold("kee"));
    assertEquals(PropertySet.EMPTY, held.withoutHold("keep").withoutHold("backup:1"));
  }

  @Test
  void onlyTagsThatAreNamesHold() throws DatasetException {
    assertReason(Reason.INVALID_NAME, () -> PropertySet.EMPTY.withHold("", NOW));
    assertReason(Reason.INVALID_NAME, () -> PropertySet.EMPTY.withHold("a b", NOW));
    assertReason(Reason.INVALID_NAME, () -> PropertySet.EMPTY.withoutHold("a\n"));
    String longest = "t".repeat(250);
    assertEquals(1, PropertySet.EMPTY.withHold(longest, NOW).holds().size());
    assertReason(Reason.NAME_TOO_LONG, () -> PropertySet.EMPTY.withHold(longest + "t", NOW));
  }

  @Test
  void holdsAndUserPropertiesDoNotMix() throws DatasetException {
    PropertySet set =
        PropertySet.EMPTY
            .set(NodeKind.SNAPSHOT, "user:hold", "1")
            .withHold("user", NOW)
            .withSchedulePeriod(SchedulePeriod.DAILY);
    assertEquals(List.of("user:hold"), set.userNames());
    assertEquals(Map.of("user", NOW), set.holds());
    assertEquals(Optional.of(SchedulePeriod.DAILY), set.schedulePeriod());
    assertEquals(Optional.empty(), set.withoutSchedulePeriod().schedulePeriod());
  }

  private static void assertReason(Reason reason, Executable change) {
    DatasetException e = assertThrows(DatasetException.class, change);
    assertEquals(reason, e.reason(), e.getMessage());
    assertTrue(e.getMessage().chars().allMatch(c -> c >= ' ' && c <= '~'), e.getMessage());
  }
}
