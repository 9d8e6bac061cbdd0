package io.cowfs.core.fs;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockStore;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.block.Reference;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.Tree;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Finds the parts of a file that would lie better if they were written once more, and reads them:
 * because they are in pieces, or because they are in the way of long runs of free space. Belongs to
 * one thread.
 *
 * <p>A file is gone through from its start to its end. What follows each other and is referred to
 * by the file alone is gathered, up to {@link #WINDOW_BYTES}. It is moved where that saves more
 * breaks between runs than it has whole mebibytes: so long runs stay where they are, and what was
 * moved once is not moved again.
 */
public final class RelocationPlanner {
  /** What is moved at once, at most. */
  public static final int WINDOW_BYTES = 4 << 20;

  /** Instead of an offset: the file has no more extents. */
  public static final long END = -1;

  private static final int WINDOW_SECTORS = WINDOW_BYTES / BlockPointer.SECTOR_BYTES;

  /** A file has nothing from runs that are longer. */
  private static final int GOOD_RUN_SECTORS = (1 << 20) / BlockPointer.SECTOR_BYTES;

  private final BlockStore store;
  private long lastEnd = END;

  /** Tells which extents are not the file's alone. */
  @FunctionalInterface
  public interface Sharing {
    boolean isShared(Reference extent) throws IOException;
  }

  /**
   * How it goes on in a file.
   *
   * @param relocation to be handed in; null when what was passed stays where it is
   * @param next offset to go on from; {@link #END} at the end
   * @param sharedBytes were passed because others refer to them, as one copy takes
   */
  public record Step(Relocation relocation, long next, long sharedBytes) {}

  public RelocationPlanner(BlockStore store) {
    this.store = store;
  }

  /** How a file lies on the device; empty runs when there is no such file. */
  public static FileRuns runs(Tree tree, long inode) throws IOException {
    ItemSource items = ItemSource.of(tree);
    Inode file = items.inode(inode);
    return file == null || !file.isRegular() ? FileRuns.NONE : RunCounter.of(items, file);
  }

  /**
   * The next regular file of a tree by its number.
   *
   * @param from the least number wanted
   * @return {@link #END} when there is none
   */
  public static long nextFile(Tree tree, long from) throws IOException {
    ItemSource items = ItemSource.of(tree);
    long at = from;
    while (true) {
      long[] found = {END};
      byte[][] value = new byte[1][];
      items.scan(
          Items.inode(at),
          Items.lastOf(-1L),
          (key, item) -> {
            found[0] = key.high();
            value[0] = key.kind() == Items.INODE ? item : null;
            return false;
          });
      if (found[0] == END) {
        return END;
      }
      if (value[0] != null) {
        Inode inode = new Inode(found[0]);
        inode.decode(value[0]);
        if (inode.isRegular() && inode.nlink > 0 && inode.allocatedSectors > 0) {
          return found[0];
        }
      }
      at = found[0] + 1;
    }
  }

  /** The inodes that have extents in nodes younger than a txg, ascending, some several times. */
  public static void forEachChangedFile(Tree tree, long bornAfter, FileVisitor visitor)
      throws IOException {
    long[] last = {END};
    tree.walk(
        bornAfter,
        new NodeVisitor() {
          @Override
          public void item(Key key, byte[] source, int offset, int length) throws IOException {
            if (key.kind() == Items.EXTENT && key.high() != last[0]) {
              last[0] = key.high();
              visitor.file(key.high());
            }
          }

          @Override
          public void node(BlockPointer pointer, int level) {}
        });
  }

  /** The regular files at and below a path by their numbers, each once. */
  public static void forEachFile(Tree tree, byte[] path, FileVisitor visitor) throws IOException {
    FileWalk walk = new FileWalk(ItemSource.of(tree), path);
    for (FileWalk.Found found = walk.next(); found != null; found = walk.next()) {
      visitor.file(found.inode().number);
    }
  }

  /** Receives files. */
  @FunctionalInterface
  public interface FileVisitor {
    void file(long inode) throws IOException;
  }

  /** Extents of one part of a file. */
  private static final class Part {
    final List<Map.Entry<Key, byte[]>> items = new ArrayList<>();
    final List<DataExtent> extents = new ArrayList<>();

    /** Whether what is before it in the file lies, or may lie, right before it on the device. */
    boolean joinsBefore;

    /** The same of what comes behind it. */
    boolean joinsBehind;

    int sectors;

    void add(Map.Entry<Key, byte[]> item, DataExtent extent) {
      items.add(item);
      extents.add(extent);
      sectors += extent.sectors();
    }

    boolean accepts(DataExtent extent) {
      return extents.isEmpty()
          || (sectors + extent.sectors() <= WINDOW_SECTORS
              && extent.places() == extents.get(0).places());
    }

    /** In how many runs it lies. */
    int runs() {
      int runs = 1;
      for (int i = 1; i < extents.size(); i++) {
        runs += follows(extents.get(i - 1), extents.get(i)) ? 0 : 1;
      }
      return runs;
    }

    /** Leaves out long runs at its ends. */
    void trim() {
      for (int length = firstRun(); isGood(0, length); length = firstRun()) {
        remove(0, length);
        joinsBefore = false;
      }
      for (int start = lastRun(); isGood(start, extents.size()); start = lastRun()) {
        remove(start, extents.size());
        joinsBehind = false;
      }
    }

    private int firstRun() {
      int end = Math.min(1, extents.size());
      while (end < extents.size() && follows(extents.get(end - 1), extents.get(end))) {
        end++;
      }
      return end;
    }

    private int lastRun() {
      int start = Math.max(0, extents.size() - 1);
      while (start > 0 && follows(extents.get(start - 1), extents.get(start))) {
        start--;
      }
      return start;
    }

    private boolean isGood(int from, int to) {
      return from < to
          && extents.subList(from, to).stream().mapToInt(DataExtent::sectors).sum()
              >= GOOD_RUN_SECTORS;
    }

    private void remove(int from, int to) {
      for (DataExtent gone : extents.subList(from, to)) {
        sectors -= gone.sectors();
      }
      extents.subList(from, to).clear();
      items.subList(from, to).clear();
    }

    boolean isWorthMoving() {
      int gain = runs() - 1 - (joinsBefore ? 1 : 0) - (joinsBehind ? 1 : 0);
      return !extents.isEmpty() && gain > sectors / GOOD_RUN_SECTORS;
    }
  }

  private static boolean follows(DataExtent before, DataExtent next) {
    return before.sector() + before.sectors() == next.sector();
  }

  /**
   * Goes on in a file, and reads what is to be moved.
   *
   * @param tree committed, and held by the caller
   * @param from the offset to go on from, in bytes
   * @param arena with room for {@link #WINDOW_BYTES}: a part of it is taken, and belongs to the
   *     relocation until that is decided
   * @throws io.cowfs.core.block.CorruptBlockException when what is to be moved is damaged; the file
   *     can be gone on in behind {@link #lastEnd}
   */
  public Step next(Tree tree, long inode, long from, Sharing sharing, ByteBuffer arena)
      throws IOException {
    lastEnd = END;
    Part part = new Part();
    long sharedBytes = 0;
    long next = END;
    DataExtent before = null;
    part.joinsBefore = from > 0;
    ItemCursor cursor =
        new ItemCursor(ItemSource.of(tree), Items.extent(inode, from), Items.extent(inode, -1L));
    for (var item = cursor.peek(); item != null; item = cursor.peek()) {
      DataExtent extent = DataExtentFormat.decode(item.getValue());
      boolean shared = sharing.isShared(extent);
      if (part.extents.isEmpty() && shared) {
        sharedBytes += (long) extent.sectors() * BlockPointer.SECTOR_BYTES;
        before = extent;
        cursor.poll();
        continue;
      }
      if (shared || !part.accepts(extent)) {
        next = item.getKey().low();
        part.joinsBehind = follows(part.extents.get(part.extents.size() - 1), extent);
        break;
      }
      if (part.extents.isEmpty() && before != null) {
        part.joinsBefore = follows(before, extent);
      }
      part.add(item, extent);
      cursor.poll();
    }
    lastEnd = next;
    part.trim();
    if (!part.isWorthMoving()) {
      return new Step(null, next, sharedBytes);
    }
    return new Step(read(inode, part, Math.max(1, part.runs() / 2), arena), next, sharedBytes);
  }

  /**
   * The same for what is to be moved because of where it lies, in whatever pieces.
   *
   * @param isInTheWay of which extents that holds
   */
  public Step nextInTheWay(
      Tree tree,
      long inode,
      long from,
      Predicate<DataExtent> isInTheWay,
      Sharing sharing,
      ByteBuffer arena)
      throws IOException {
    lastEnd = END;
    Part part = new Part();
    ItemCursor cursor =
        new ItemCursor(ItemSource.of(tree), Items.extent(inode, from), Items.extent(inode, -1L));
    for (var item = cursor.peek(); item != null; item = cursor.peek()) {
      DataExtent extent = DataExtentFormat.decode(item.getValue());
      boolean isWanted = isInTheWay.test(extent) && !sharing.isShared(extent);
      if (!part.extents.isEmpty() && !(isWanted && part.accepts(extent))) {
        lastEnd = item.getKey().low();
        break;
      }
      if (isWanted) {
        part.add(item, extent);
      }
      cursor.poll();
    }
    return new Step(
        part.extents.isEmpty() ? null : read(inode, part, part.runs(), arena), lastEnd, 0);
  }

  /** All extents of a file, in their order. */
  public static void forEachExtent(Tree tree, long inode, ExtentVisitor visitor)
      throws IOException {
    ItemSource.of(tree)
        .scan(
            Items.extent(inode, 0),
            Items.extent(inode, -1L),
            (key, value) -> {
              visitor.extent(DataExtentFormat.decode(value));
              return true;
            });
  }

  /** Receives extents. */
  @FunctionalInterface
  public interface ExtentVisitor {
    void extent(DataExtent extent) throws IOException;
  }

  /** Where the part ended that was looked at last; {@link #END} where that is not known. */
  public long lastEnd() {
    return lastEnd;
  }

  private Relocation read(long inode, Part part, int runsMax, ByteBuffer arena) throws IOException {
    int bytes = part.sectors * BlockPointer.SECTOR_BYTES;
    ByteBuffer stored = arena.slice(arena.position(), bytes);
    Relocation relocation = new Relocation(inode, part.items, runsMax, stored);
    read(relocation);
    arena.position(arena.position() + bytes);
    return relocation;
  }

  /** In the order in which they lie on the device. */
  private void read(Relocation relocation) throws IOException {
    List<DataExtent> extents = relocation.extents();
    record Place(DataExtent extent, int at) {}
    List<Place> places = new ArrayList<>(extents.size());
    int at = relocation.stored().position();
    for (DataExtent extent : extents) {
      places.add(new Place(extent, at));
      at += extent.sectors() * BlockPointer.SECTOR_BYTES;
    }
    places.sort(Comparator.comparingLong(place -> place.extent.sector()));
    for (Place place : places) {
      store.readStored(
          place.extent,
          relocation.stored().slice(place.at, place.extent.sectors() * BlockPointer.SECTOR_BYTES));
    }
  }
}
