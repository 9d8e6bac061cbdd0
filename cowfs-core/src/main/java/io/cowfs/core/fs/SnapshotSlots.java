package io.cowfs.core.fs;

import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.util.HashMap;
import java.util.Map;

/**
 * Which snapshot has which slot in {@link BrowseNumbers}, and what the front end holds of it.
 * Thread-safe; {@code this} guards it.
 *
 * <p>A snapshot gets the slot that its id suggests, so that its inodes have the same numbers after
 * the next mount; or the next slot of which nothing is held. A slot keeps its snapshot until
 * another needs it, and always while an inode or handle of it is held.
 */
final class SnapshotSlots {
  private static final class Slot {
    final int number;
    final int node;

    /** Inodes and handles that are held. */
    long held;

    Slot(int number, int node) {
      this.number = number;
      this.node = node;
    }
  }

  private final Map<Integer, Slot> byNumber = new HashMap<>();
  private final Map<Integer, Slot> byNode = new HashMap<>();
  private final ReferenceCounts references = new ReferenceCounts();

  /**
   * The slot of a snapshot, given to it if it has none.
   *
   * @param node the snapshot's id
   * @throws FsException BUSY when something is held of as many snapshots as there are slots
   */
  synchronized int slotOf(int node) throws FsException {
    Slot slot = byNode.get(node);
    return (slot != null ? slot : assign(node)).number;
  }

  private Slot assign(int node) throws FsException {
    int usable = BrowseNumbers.SLOTS - 1;
    for (int i = 0; i < usable; i++) {
      int number = 1 + Math.floorMod(node - 1 + i, usable);
      Slot before = byNumber.get(number);
      if (before == null || before.held == 0) {
        if (before != null) {
          byNode.remove(before.node);
        }
        Slot slot = new Slot(number, node);
        byNumber.put(number, slot);
        byNode.put(node, slot);
        return slot;
      }
    }
    throw new FsException(FsError.BUSY);
  }

  /**
   * The id of the snapshot that an inode number belongs to.
   *
   * @throws FsException STALE when no snapshot has the slot
   */
  synchronized int nodeOf(long number) throws FsException {
    Slot slot = byNumber.get(BrowseNumbers.slot(number));
    if (slot == null) {
      throw new FsException(FsError.STALE);
    }
    return slot.node;
  }

  /** Counts one reference to the root of a snapshot, which gets a slot, and returns its number. */
  synchronized long referenceRoot(int node) throws FsException {
    long number = BrowseNumbers.root(slotOf(node));
    reference(number, node);
    return number;
  }

  /**
   * Counts one reference.
   *
   * @throws FsException STALE when another snapshot has the slot by now
   */
  synchronized void reference(long number, int node) throws FsException {
    Slot slot = require(number, node);
    if (!references.contains(number)) {
      slot.held++;
    }
    references.add(number);
  }

  /** Takes references away; those that are not there are ignored. */
  synchronized void forget(long number, long count) {
    if (references.contains(number) && references.remove(number, count)) {
      byNumber.get(BrowseNumbers.slot(number)).held--;
    }
  }

  /**
   * Counts one open handle.
   *
   * @throws FsException STALE when another snapshot has the slot by now
   */
  synchronized void opened(long number, int node) throws FsException {
    require(number, node).held++;
  }

  /** Counts one handle less. */
  synchronized void closed(long number) {
    byNumber.get(BrowseNumbers.slot(number)).held--;
  }

  private Slot require(long number, int node) throws FsException {
    Slot slot = byNumber.get(BrowseNumbers.slot(number));
    if (slot == null || slot.node != node) {
      throw new FsException(FsError.STALE);
    }
    return slot;
  }

  /** How many inodes the front end holds. For tests. */
  int referencedCount() {
    return references.snapshot().length;
  }
}
