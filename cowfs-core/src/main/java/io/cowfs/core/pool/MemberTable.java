package io.cowfs.core.pool;

import io.cowfs.core.dataset.MemberRecord;
import io.cowfs.core.device.MemberState;
import io.cowfs.core.device.MirrorDevice;
import io.cowfs.core.device.MirrorMember;
import io.cowfs.core.device.PoolLabel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What each commit tells of the members of a mirror: their states, and up to which txg one that is
 * not ONLINE has everything. Thread-safe; the sync thread alone commits.
 *
 * <p>A member that is ONLINE when txg N commits was written and synced with all of N. So one that
 * is found out of use by the commit of N + 1 has everything up to N, whenever it was in between.
 */
final class MemberTable {
  private final MirrorDevice mirror;

  // ---- guarded by this

  private List<MemberRecord> durable;
  private List<MemberRecord> committing;

  /** By number, of members that are not ONLINE: what they are known to have. */
  private final Map<Integer, Long> completeTxgs = new HashMap<>();

  /** The number of one that goes, by the number of the one that takes its place. */
  private final Map<Integer, Integer> replaced = new HashMap<>();

  /**
   * @param durable as the index has it
   * @param completeTxgs by number, of members that were found to be behind
   */
  MemberTable(MirrorDevice mirror, List<MemberRecord> durable, Map<Integer, Long> completeTxgs) {
    this.mirror = mirror;
    this.durable = List.copyOf(durable);
    this.committing = this.durable;
    this.completeTxgs.putAll(completeTxgs);
    durable.forEach(each -> each.replaces().ifPresent(other -> replaced.put(each.number(), other)));
  }

  /** What a commit is to keep; empty when nothing is new. */
  synchronized Optional<List<MemberRecord>> changes(long txg) {
    List<MirrorMember> members = mirror.members();
    if (members.get(0).uuid().equals(PoolLabel.NO_MEMBER)) {
      return Optional.empty(); // It is no mirror.
    }
    List<MemberRecord> now = new ArrayList<>();
    for (MirrorMember member : members) {
      MemberState state = member.state();
      long complete = 0;
      if (state == MemberState.ONLINE) {
        completeTxgs.remove(member.number());
      } else {
        complete = completeTxgs.computeIfAbsent(member.number(), number -> txg - 1);
      }
      now.add(
          new MemberRecord(
              member.number(), member.uuid(), state, complete, replacedBy(member.number())));
    }
    committing = List.copyOf(now);
    return committing.equals(durable) ? Optional.empty() : Optional.of(committing);
  }

  synchronized void committed() {
    durable = committing;
  }

  /** Whether a member misses what is written now, and no commit tells of that yet. */
  synchronized boolean isMissedUnknown() {
    for (MirrorMember member : mirror.members()) {
      if (member.state() != MemberState.ONLINE
          && durable.stream()
              .noneMatch(
                  each -> each.number() == member.number() && each.state() != MemberState.ONLINE)) {
        return true;
      }
    }
    return false;
  }

  /** Up to which txg a member has everything, as far as that is known by now. */
  synchronized Optional<Long> completeTxg(MirrorMember member) {
    return Optional.ofNullable(completeTxgs.get(member.number()));
  }

  /** A member turned out to have no more than this. */
  synchronized void hasOnly(int number, long txg) {
    completeTxgs.merge(number, txg, Math::min);
  }

  /** One is to go when another one has everything; part of the next commit. */
  synchronized void replace(int number, int other) {
    replaced.put(other, number);
  }

  /** The number of the one in whose place a member is to come. */
  synchronized OptionalInt replacedBy(int other) {
    Integer number = replaced.get(other);
    return number == null ? OptionalInt.empty() : OptionalInt.of(number);
  }

  /** One is not there any more: it replaces nobody and nobody replaces it. */
  synchronized void forget(int number) {
    replaced.remove(number);
    replaced.values().removeIf(each -> each == number);
  }
}
