package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.device.MemberState;
import io.cowfs.core.pool.MirrorException;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which devices a mirror has, and may have after a crash; the commands that change that. While a
 * new device gets everything, files change as in a scrub. Confined to one thread.
 */
final class MirrorMembers {
  private final TestPool pool;
  private final PoolDriver driver;

  /** As of the last look. */
  private Set<Integer> members;

  /** What a command under way makes of them, one after the other. */
  private final List<Set<Integer>> possible = new ArrayList<>();

  /** A device is to take the place of another one when it has everything. */
  private Optional<Replacement> replacement = Optional.empty();

  private String trace = "";

  private record Replacement(int old, int successor) {
    boolean isUnderWay(Set<Integer> members) {
      return members.contains(old) && members.contains(successor);
    }
  }

  /**
   * @param pool on a mirror, open
   */
  MirrorMembers(TestPool pool, PoolDriver driver) {
    this.pool = pool;
    this.driver = driver;
    members = new TreeSet<>(pool.members());
  }

  /** The numbers of the devices, ascending. */
  List<Integer> all() {
    return List.copyOf(members);
  }

  List<Integer> others(int number) {
    return members.stream().filter(each -> each != number).toList();
  }

  /** Those that have everything, besides one. */
  List<Integer> onlineBesides(int number) {
    return others(number).stream()
        .filter(each -> pool.stateOf(each) == MemberState.ONLINE)
        .toList();
  }

  boolean has(int number) {
    return members.contains(number);
  }

  /** Some device that is not what it should be. */
  Optional<Integer> anyBehind() {
    return members.stream().filter(each -> pool.stateOf(each) != MemberState.ONLINE).findFirst();
  }

  /** A device is still to go that is replaced. */
  boolean isReplacing() {
    return replacement.isPresent();
  }

  /** After something that may have changed them: they are what they were, or what is possible. */
  void look() {
    Set<Integer> now = new TreeSet<>(pool.members());
    List<Set<Integer>> allowed = new ArrayList<>(possible);
    allowed.add(members);
    for (Set<Integer> each : List.copyOf(allowed)) {
      replacement
          .filter(it -> it.isUnderWay(each))
          .ifPresent(it -> allowed.add(without(each, it.old())));
    }
    assertTrue(allowed.contains(now), () -> "devices " + now + " and not one of " + allowed);
    members = now;
    possible.clear();
    replacement = replacement.filter(it -> it.isUnderWay(now));
  }

  /** All have everything, so nobody is still to go. */
  void requireSettled() {
    look();
    assertFalse(isReplacing(), () -> "not replaced: " + replacement);
  }

  /** The commands so far. */
  String trace() {
    return trace;
  }

  // ---- commands

  /**
   * @param expected how it may fail, since the power does or the new device
   */
  void attach(int number, Set<FsError> expected, Random choice) throws IOException, FsException {
    trace += "attach " + number + ", ";
    Set<Integer> after = with(number);
    run(List.of(after), after, expected, choice, () -> pool.attach(number));
  }

  /** The same. */
  void replace(int old, int number, Set<FsError> expected, Random choice)
      throws IOException, FsException {
    trace += "replace " + old + " by " + number + ", ";
    Set<Integer> both = with(number);
    Set<Integer> after = without(both, old);
    replacement = Optional.of(new Replacement(old, number));
    run(List.of(both, after), after, expected, choice, () -> pool.replace(old, number));
  }

  /** It is the only one that has everything, or it goes. */
  void detach(int number, Set<FsError> expected, Random choice) throws IOException, FsException {
    trace += "detach " + number + ", ";
    boolean isLast = onlineBesides(number).isEmpty();
    Set<Integer> after = isLast ? members : without(members, number);
    PoolDriver.Walk detach = () -> pool.pool().mirror().detach(pool.nameOf(number));
    run(
        List.of(after),
        after,
        expected,
        choice,
        isLast && expected.isEmpty()
            ? () -> assertThrows(MirrorException.class, detach::run)
            : detach);
  }

  private void run(
      List<Set<Integer>> states,
      Set<Integer> after,
      Set<FsError> expected,
      Random choice,
      PoolDriver.Walk command)
      throws IOException, FsException {
    possible.addAll(states);
    driver.tolerating(expected, () -> driver.catchUp(choice, command));
    if (driver.isActive() && pool.power().isOn()) {
      look();
      // Commits are counted at the device that is looked at: where that goes, the last is missed.
      driver.tolerating(expected, driver::commit);
    }
    if (expected.isEmpty()) {
      assertEquals(after, members);
    }
  }

  private Set<Integer> with(int number) {
    Set<Integer> more = new TreeSet<>(members);
    more.add(number);
    return more;
  }

  private static Set<Integer> without(Set<Integer> members, int number) {
    Set<Integer> fewer = new TreeSet<>(members);
    fewer.remove(number);
    return fewer;
  }
}
