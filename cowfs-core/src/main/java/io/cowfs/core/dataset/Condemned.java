package io.cowfs.core.dataset;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.Key;
import java.util.Optional;

/**
 * Something that nothing reaches any more, and that is freed piece by piece. It is independent of
 * all history: whatever is destroyed later, it dies in the same way.
 *
 * @param id smaller for what was destroyed earlier
 * @param list of references; 0 for a tree
 * @param root of the tree; absent for a list
 * @param bornAfter of a tree only what was born after this txg dies: the rest belongs to others
 * @param cursor of a tree: where freeing goes on; absent before the first piece
 * @param sectors of the references that are still to die; a list that is only forgotten has none
 */
public record Condemned(
    long id,
    Kind kind,
    long list,
    Optional<BlockPointer> root,
    long bornAfter,
    Optional<Key> cursor,
    long sectors) {

  /** What there is to be freed, with permanent ids. */
  public enum Kind {
    /** A tree, in part. */
    TREE(1),
    /** All that is in a list. */
    LIST(2),
    /** Nothing but the list itself: others have what is in it. */
    FORGOTTEN_LIST(3);

    private final int id;

    Kind(int id) {
      this.id = id;
    }

    /** The id in the format; never changes. */
    public int id() {
      return id;
    }
  }

  static Condemned tree(long id, BlockPointer root, long bornAfter, long sectors) {
    return new Condemned(id, Kind.TREE, 0, Optional.of(root), bornAfter, Optional.empty(), sectors);
  }

  static Condemned list(long id, Deadlists.Detached detached) {
    return new Condemned(
        id, Kind.LIST, detached.list(), Optional.empty(), 0, Optional.empty(), detached.sectors());
  }

  static Condemned forgottenList(long id, long list) {
    return new Condemned(id, Kind.FORGOTTEN_LIST, list, Optional.empty(), 0, Optional.empty(), 0);
  }

  /** After a piece was freed. */
  Condemned after(Key newCursor, long freedSectors) {
    return new Condemned(
        id, kind, list, root, bornAfter, Optional.ofNullable(newCursor), sectors - freedSectors);
  }
}
