package io.cowfs.core.dataset;

import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * The deadlists as the current txg sees them: those in the index, and what the txg has appended or
 * dropped since. Owned by the sync thread.
 */
final class Deadlists {
  private final Catalog catalog;
  private final Map<Long, ReferenceList> appended = new HashMap<>();
  private final Set<Long> dropped = new HashSet<>();

  /** What the txg changed. */
  record Changes(Set<Long> dropped, Map<Long, ReferenceList> appended) {}

  Deadlists(Catalog catalog) {
    this.catalog = catalog;
  }

  /** Adds a reference to a list. */
  void append(long deadlist, long sector, int sectors, long birthTxg) {
    appended.computeIfAbsent(deadlist, id -> new ReferenceList()).add(sector, sectors, birthTxg);
  }

  /** Forgets a list and all that is in it; its id is never used again. */
  void drop(long deadlist) {
    appended.remove(deadlist);
    dropped.add(deadlist);
  }

  /** Reports all references in a list, those of the current txg too. */
  void forEach(long deadlist, ReferenceList.Visitor visitor) throws IOException {
    catalog.readDeadlist(deadlist, visitor);
    ReferenceList pending = appended.get(deadlist);
    if (pending != null) {
      pending.forEach(visitor);
    }
  }

  /** The changes of the txg, for its commit. Changes nothing. */
  Changes changes() {
    return new Changes(Set.copyOf(dropped), Map.copyOf(appended));
  }

  /** The changes are in the index now. */
  void committed() {
    appended.clear();
    dropped.clear();
  }
}
