package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import org.junit.jupiter.api.Test;

class SnapshotSlotsTest {
  /** As many snapshots later, a slot's turn comes again. */
  private static final int TURN = BrowseNumbers.SLOTS - 1;

  private final SnapshotSlots slots = new SnapshotSlots();

  @Test
  void aSlotWithAReferenceKeepsItsSnapshot() throws Exception {
    long root = slots.referenceRoot(7);
    long file = BrowseNumbers.of(BrowseNumbers.slot(root), 99);
    slots.reference(file, 7);
    slots.reference(file, 7);
    slots.forget(root, 1);
    slots.forget(file, 1);
    assertNotEquals(BrowseNumbers.slot(root), slots.slotOf(7 + TURN));
    assertEquals(7, slots.nodeOf(file));
    slots.forget(file, 1);
    assertEquals(BrowseNumbers.slot(root), slots.slotOf(7 + 2 * TURN));
    assertEquals(7 + 2 * TURN, slots.nodeOf(file));
    assertStale(() -> slots.reference(file, 7));
  }

  @Test
  void aSlotWithAHandleKeepsItsSnapshot() throws Exception {
    long root = BrowseNumbers.root(slots.slotOf(7));
    slots.opened(root, 7);
    assertNotEquals(BrowseNumbers.slot(root), slots.slotOf(7 + TURN));
    slots.closed(root);
    assertEquals(BrowseNumbers.slot(root), slots.slotOf(7 + 2 * TURN));
    assertStale(() -> slots.opened(root, 7));
  }

  @Test
  void forgettingTooMuchTakesNothingFromOthers() throws Exception {
    long root = slots.referenceRoot(7);
    long file = BrowseNumbers.of(BrowseNumbers.slot(root), 99);
    slots.reference(file, 7);
    slots.forget(root, 50);
    slots.forget(root, 50);
    slots.forget(BrowseNumbers.root(1234), 1);
    assertNotEquals(BrowseNumbers.slot(root), slots.slotOf(7 + TURN), "the file is held");
    slots.forget(file, 1);
    assertEquals(BrowseNumbers.slot(root), slots.slotOf(7 + 2 * TURN));
  }

  @Test
  void whenAllSlotsAreHeldTheNextSnapshotMustWait() throws Exception {
    for (int node = 1; node <= TURN; node++) {
      slots.referenceRoot(node);
    }
    FsException refused = assertThrows(FsException.class, () -> slots.slotOf(TURN + 1));
    assertEquals(FsError.BUSY, refused.error());
    slots.forget(BrowseNumbers.root(4711), 1);
    assertEquals(4711, slots.slotOf(TURN + 1));
  }

  @Test
  void inodesThatHaveNoNumberAreRefused() throws Exception {
    long last = (1L << 46) - 1;
    assertEquals(last, BrowseNumbers.inner(BrowseNumbers.of(3, last)));
    assertEquals(3, BrowseNumbers.slot(BrowseNumbers.of(3, last)));
    FsException refused = assertThrows(FsException.class, () -> BrowseNumbers.of(3, last + 1));
    assertEquals(FsError.OVERFLOW, refused.error());
  }

  private static void assertStale(org.junit.jupiter.api.function.Executable action) {
    assertEquals(FsError.STALE, assertThrows(FsException.class, action).error());
  }
}
