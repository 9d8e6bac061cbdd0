package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.DatasetException.Reason;
import io.cowfs.core.dataset.DatasetSettings.AccessTime;
import io.cowfs.core.dataset.DatasetSettings.Snapdir;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class PropertyResolutionTest {
  private final Map<String, PropertySet> sets = new HashMap<>();

  @Test
  void theNearestValueAboveIsInForce() throws DatasetException {
    assertEffective("a/b/c", "readonly", "off", "default");
    set("root", "readonly", "on");
    assertEffective("a/b/c", "readonly", "on", "inherited from root");
    set("a", "readonly", "off");
    assertEffective("a/b/c", "readonly", "off", "inherited from a");
    set("a/b", "readonly", "on");
    assertEffective("a/b/c", "readonly", "on", "inherited from a/b");
    set("a/b/c", "readonly", "off");
    assertEffective("a/b/c", "readonly", "off", "local");
    assertEffective("root", "readonly", "on", "local");
  }

  @Test
  void quotaAndMountpointHoldForTheirDatasetOnly() throws DatasetException {
    set("root", "quota", "1G");
    set("a", "mountpoint", "/srv/a");
    assertEffective("root", "quota", "1G", "local");
    assertEffective("a", "quota", "none", "default");
    assertEffective("a", "mountpoint", "/srv/a", "local");
    assertEffective("a/b", "mountpoint", "none", "default");
  }

  @Test
  void onlyDatasetsAboveAreAsked() {
    assertEquals(List.of("a/b/c", "a/b", "a", "root"), asked("a/b/c"));
    assertEquals(List.of("root"), asked("root"));
    assertEquals(List.of("root/x", "root"), asked("root/x"));
    assertEquals(List.of("rooty", "root"), asked("rooty"));
  }

  @Test
  void userPropertiesAreInheritedAndHaveNoDefault() throws DatasetException {
    set("root", "user:owner", "anna");
    assertEffective("a/b", "user:owner", "anna", "inherited from root");
    assertEquals(Optional.empty(), of("a/b").get("user:other"));
  }

  @Test
  void snapshotsHaveTheirOwnUserPropertiesAndThoseOfTheirDataset() throws DatasetException {
    set("a", "user:owner", "anna");
    set("a", "user:kind", "base");
    set("a", "quota", "1G");
    PropertySet own = PropertySet.EMPTY.set(NodeKind.SNAPSHOT, "user:kind", "special");
    PropertyResolution snapshot = PropertyResolution.ofSnapshot("a", own, this::setOf);
    assertEquals(
        List.of("user:kind=special local", "user:owner=anna inherited from a"), lines(snapshot));
    assertEquals(
        Reason.INVALID_NAME,
        assertThrows(DatasetException.class, () -> snapshot.get("quota")).reason());
  }

  @Test
  void internalPropertiesAreNeverShown() throws DatasetException {
    PropertySet own =
        PropertySet.EMPTY.withHold("keep", Instant.EPOCH).withSchedulePeriod(SchedulePeriod.HOURLY);
    PropertyResolution snapshot = PropertyResolution.ofSnapshot("a", own, this::setOf);
    assertEquals(List.of(), snapshot.all());
    sets.put("a", own);
    for (String name : new String[] {"hold:keep", "cowfs:schedule", "nosuch", "a b", ""}) {
      DatasetException e = assertThrows(DatasetException.class, () -> of("a").get(name));
      assertEquals(Reason.INVALID_NAME, e.reason());
    }
    assertFalse(lines(of("a")).stream().anyMatch(line -> line.matches("(hold|cowfs):.*")));
  }

  @Test
  void allPropertiesAreListedInAFixedOrder() throws DatasetException {
    set("root", "user:z", "1");
    set("a", "user:b", "2");
    set("a", "quota", "1G");
    assertEquals(
        List.of(
            "compression=lz4 default",
            "copies=1 default",
            "quota=1G local",
            "readonly=off default",
            "snapdir=hidden default",
            "atime=relatime default",
            "checkpoints=on default",
            "snapshot.schedule=none default",
            "mountpoint=none default",
            "scrub.rate=none default",
            "defrag.rate=none default",
            "defrag.background=off default",
            "user:b=2 local",
            "user:z=1 inherited from root"),
        lines(of("a")));
  }

  @Test
  void settingsAreTheValuesInForce() throws DatasetException {
    assertEquals(
        new DatasetSettings(
            CompressionSetting.LZ4,
            1,
            OptionalLong.empty(),
            false,
            Snapdir.HIDDEN,
            AccessTime.RELATIME,
            CheckpointPolicy.ON,
            SnapshotSchedule.NONE,
            Optional.empty(),
            OptionalLong.empty(),
            OptionalLong.empty(),
            OptionalInt.empty()),
        of("a").settings());
    set("root", "compression", "off");
    set("root", "copies", "3");
    set("root", "snapdir", "visible");
    set("root", "atime", "on");
    set("root", "readonly", "on");
    set("root", "checkpoints", "off");
    set("root", "snapshot.schedule", "daily:3");
    set("a", "quota", "10M");
    set("a", "mountpoint", "/a");
    set("root", "scrub.rate", "50M");
    set("root", "defrag.rate", "20M");
    set("root", "defrag.background", "4");
    assertEquals(
        new DatasetSettings(
            CompressionSetting.NONE,
            3,
            OptionalLong.of(10 << 20),
            true,
            Snapdir.VISIBLE,
            AccessTime.ON,
            CheckpointPolicy.OFF,
            SnapshotSchedule.parse("daily:3"),
            Optional.of("/a"),
            OptionalLong.of(50 << 20),
            OptionalLong.of(20 << 20),
            OptionalInt.of(4)),
        of("a").settings());
  }

  private static List<String> asked(String dataset) {
    List<String> asked = new ArrayList<>();
    PropertyResolution.ofDataset(
        dataset,
        name -> {
          asked.add(name);
          return PropertySet.EMPTY;
        });
    return asked;
  }

  private PropertySet setOf(String dataset) {
    return sets.getOrDefault(dataset, PropertySet.EMPTY);
  }

  private void set(String dataset, String name, String value) throws DatasetException {
    sets.put(dataset, setOf(dataset).set(NodeKind.HEAD, name, value));
  }

  private PropertyResolution of(String dataset) {
    return PropertyResolution.ofDataset(dataset, this::setOf);
  }

  private void assertEffective(String dataset, String name, String value, String source)
      throws DatasetException {
    assertEquals(name + "=" + value + " " + source, line(of(dataset).get(name).orElseThrow()));
  }

  private static List<String> lines(PropertyResolution resolution) {
    return resolution.all().stream().map(PropertyResolutionTest::line).toList();
  }

  private static String line(EffectiveProperty property) {
    return property.name() + "=" + property.value() + " " + property.source();
  }
}
