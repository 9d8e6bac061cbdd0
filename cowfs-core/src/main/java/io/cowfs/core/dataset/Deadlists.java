package io.cowfs.core.dataset;

import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;

/**
 * The deadlists as the current txg sees them: those in the index, and what the txg has changed
 * since. A deadlist is a set of {@link DeadlistPart parts}, sorted by the birth of what is in them:
 * to take out what was born after an ancestor, and to join the rest with another deadlist, only the
 * parts are moved, and references only where a part has so few that it would not be worth its
 * record. After the sublists of OpenZFS' {@code dsl_deadlist.c}.
 *
 * <p>Owned by the sync thread.
 */
final class Deadlists {
  /** Where deadlists are found that this object has not changed yet. */
  interface Source {
    /** Reports the parts of a deadlist with the sectors in them; none for an empty one. */
    void forEachPart(long deadlist, PartVisitor visitor) throws IOException;
  }

  /** Where lists of references are read, and what is used up of them goes. */
  interface Lists {
    /** As {@link Catalog#readChunks} has it. */
    List<Catalog.Chunk> firstChunks(long list, long references) throws IOException;

    /** The chunk is not needed after this txg. */
    void drop(Catalog.Chunk chunk);
  }

  /** Receives parts. */
  @FunctionalInterface
  interface PartVisitor {
    void part(DeadlistPart part, long sectors) throws IOException;
  }

  /**
   * A list of references that has left its deadlist.
   *
   * @param sectors in all its references
   */
  record Detached(long list, long sectors) {}

  /**
   * What the txg changed.
   *
   * @param parts the sectors of new and changed parts; null for one that is gone
   * @param appended new references, by list
   */
  record Changes(Map<DeadlistPart, Long> parts, Map<Long, ReferenceList> appended) {}

  /** A list of at most so many references is added to another one where that is possible. */
  private static final int SHORT_LIST = ReferenceChunkFormat.MAX_ENTRIES;

  private final Source source;

  /** Null where things are only tried out: then lists stay what they are in the index. */
  private final Lists lists;

  private final IdCounter ids;

  /** The deadlists that were looked at, whole; those that grow are kept from txg to txg. */
  private final Map<Long, NavigableMap<DeadlistPart, Long>> loaded = new HashMap<>();

  private final Set<Long> grown = new HashSet<>();
  private final Map<DeadlistPart, Long> changed = new TreeMap<>();
  private final Map<Long, ReferenceList> appended = new HashMap<>();

  Deadlists(Source source, Lists lists, IdCounter ids) {
    this.source = source;
    this.lists = lists;
    this.ids = ids;
  }

  /** A view of the same deadlists for trying things out: what is changed in it stays in it. */
  Deadlists trial() {
    return new Deadlists(
        (deadlist, visitor) -> {
          for (Map.Entry<DeadlistPart, Long> part : parts(deadlist).entrySet()) {
            visitor.part(part.getKey(), part.getValue());
          }
        },
        null,
        new IdCounter(ids.next()));
  }

  /**
   * Adds a reference to a list.
   *
   * @param bornAfter the txg of the youngest ancestor of the deadlist's node that is older than the
   *     reference; 0 where there is none
   */
  void append(long deadlist, long bornAfter, long sector, int sectors, long birthTxg)
      throws IOException {
    DeadlistPart part = partFor(deadlist, bornAfter);
    set(part, parts(deadlist).getOrDefault(part, 0L) + sectors);
    grown.add(deadlist);
    appended.computeIfAbsent(part.list(), id -> new ReferenceList()).add(sector, sectors, birthTxg);
  }

  private DeadlistPart partFor(long deadlist, long bornAfter) throws IOException {
    DeadlistPart found = find(deadlist, bornAfter);
    return found != null ? found : new DeadlistPart(deadlist, bornAfter, ids.take());
  }

  /** A part of a deadlist with this bound, or null. */
  private DeadlistPart find(long deadlist, long bornAfter) throws IOException {
    DeadlistPart found = parts(deadlist).ceilingKey(new DeadlistPart(deadlist, bornAfter, 0));
    return found != null && found.bornAfter() == bornAfter ? found : null;
  }

  /** The sectors of what is in a deadlist and was born after an ancestor's txg, or after 0. */
  long sectorsBornAfter(long deadlist, long ancestorTxg) throws IOException {
    return parts(deadlist).tailMap(new DeadlistPart(deadlist, ancestorTxg, 0)).values().stream()
        .mapToLong(Long::longValue)
        .sum();
  }

  /** Takes what was born after an ancestor's txg out of a deadlist. */
  List<Detached> takeBornAfter(long deadlist, long ancestorTxg) throws IOException {
    return take(parts(deadlist).tailMap(new DeadlistPart(deadlist, ancestorTxg, 0)));
  }

  /** Takes everything out: the deadlist is gone, and its id is never used again. */
  List<Detached> takeAll(long deadlist) throws IOException {
    return take(parts(deadlist));
  }

  private List<Detached> take(Map<DeadlistPart, Long> parts) throws IOException {
    List<Detached> taken =
        parts.entrySet().stream()
            .map(part -> new Detached(part.getKey().list(), part.getValue()))
            .toList();
    for (DeadlistPart part : List.copyOf(parts.keySet())) {
      remove(part);
    }
    return taken;
  }

  /**
   * Makes everything that is in one deadlist a part of another; the first is gone. Both have the
   * same ancestors. Short lists with the same bound become one, or a deadlist would get as many
   * parts as snapshots were ever destroyed around it.
   */
  void join(long deadlist, long into) throws IOException {
    for (Map.Entry<DeadlistPart, Long> each : List.copyOf(parts(deadlist).entrySet())) {
      DeadlistPart part = each.getKey();
      long sectors = each.getValue();
      remove(part);
      DeadlistPart same = find(into, part.bornAfter());
      if (same != null && moveIfShort(part.list(), same.list())) {
        set(same, parts(into).get(same) + sectors);
      } else {
        set(new DeadlistPart(into, part.bornAfter(), part.list()), sectors);
      }
    }
  }

  /** Adds the references of a short list to another one; the first is gone then. */
  private boolean moveIfShort(long list, long to) throws IOException {
    if (lists == null) {
      return false;
    }
    List<Catalog.Chunk> stored = lists.firstChunks(list, SHORT_LIST + 1L);
    ReferenceList added = appended.getOrDefault(list, new ReferenceList());
    int count = added.size();
    for (Catalog.Chunk chunk : stored) {
      count += chunk.references().size();
    }
    if (count > SHORT_LIST) {
      return false;
    }
    ReferenceList target = appended.computeIfAbsent(to, id -> new ReferenceList());
    for (Catalog.Chunk chunk : stored) {
      chunk.references().forEach(target::add);
      lists.drop(chunk);
    }
    added.forEach(target::add);
    appended.remove(list);
    return true;
  }

  private NavigableMap<DeadlistPart, Long> parts(long deadlist) throws IOException {
    NavigableMap<DeadlistPart, Long> parts = loaded.get(deadlist);
    if (parts == null) {
      NavigableMap<DeadlistPart, Long> read = new TreeMap<>();
      source.forEachPart(deadlist, read::put);
      loaded.put(deadlist, read);
      parts = read;
    }
    return parts;
  }

  private void set(DeadlistPart part, long sectors) throws IOException {
    parts(part.deadlist()).put(part, sectors);
    changed.put(part, sectors);
  }

  private void remove(DeadlistPart part) throws IOException {
    parts(part.deadlist()).remove(part);
    changed.put(part, null);
  }

  /** The changes of the txg, for its commit. Changes nothing. */
  Changes changes() {
    return new Changes(new TreeMap<>(changed), Map.copyOf(appended));
  }

  /** The changes are in the index now. */
  void committed() {
    loaded.keySet().retainAll(grown);
    grown.clear();
    changed.clear();
    appended.clear();
  }
}
