package io.cowfs.core.dataset;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Everything that was destroyed and is not freed yet. Owned by the sync thread. */
final class CondemnedSpace implements History.Grave {
  private final TreeMap<Long, Condemned> all = new TreeMap<>();

  /** By id, null for what is gone. */
  private final Map<Long, Condemned> changed = new HashMap<>();

  private long sectors;

  CondemnedSpace(Collection<Condemned> committed) {
    committed.forEach(each -> all.put(each.id(), each));
    sectors = committed.stream().mapToLong(Condemned::sectors).sum();
  }

  @Override
  public void condemn(Condemned condemned) {
    put(condemned);
  }

  /** In place of what it was before. */
  void put(Condemned condemned) {
    Condemned before = all.put(condemned.id(), condemned);
    changed.put(condemned.id(), condemned);
    sectors += condemned.sectors() - (before == null ? 0 : before.sectors());
  }

  /** All of it is freed. */
  void remove(Condemned condemned) {
    Condemned before = all.remove(condemned.id());
    changed.put(condemned.id(), null);
    sectors -= before.sectors();
  }

  /** The sectors of all references that are still to die. */
  long sectors() {
    return sectors;
  }

  /** What there is now, from old to new. */
  List<Condemned> oldestFirst() {
    return List.copyOf(all.values());
  }

  boolean isEmpty() {
    return all.isEmpty();
  }

  /** By id, null for what is gone; for the txg's commit. Changes nothing. */
  Map<Long, Condemned> changes() {
    return new HashMap<>(changed);
  }

  /** The changes are in the index now. */
  void committed() {
    changed.clear();
  }
}
