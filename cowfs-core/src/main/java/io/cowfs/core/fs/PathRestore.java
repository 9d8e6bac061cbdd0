package io.cowfs.core.fs;

import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.dataset.DatasetException.Reason;
import io.cowfs.core.vfs.CacheInvalidator;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * Brings one path of a live dataset back to what it was in a snapshot, while the dataset is in use.
 * Belongs to one thread, and is used once.
 *
 * <p><b>What becomes of what.</b> Two directories are merged, entry by entry. What is the same
 * stays untouched. A file whose content differs is replaced: a copy is made beside it ({@link
 * InodeStage}), which then takes its name, as an editor's save does. Whoever has the old file open
 * or mapped goes on with the old content, other names of the old file keep it, and a kernel that
 * caches writes is not contradicted about a file that it holds. Where only mode, owner or extended
 * attributes differ, they are set in place, unless the file has names outside of the path, which
 * would change with it. Names that the snapshot has not are removed. Names that are one file in the
 * snapshot become one file again.
 *
 * <p><b>Order.</b> Copies are committed first, without names, many at a time; then the names
 * change, each atomically. So a crash in the middle leaves each file as it was or as it will be,
 * and nothing else. Only a directory in whose place the snapshot has a file is emptied before. What
 * others change meanwhile may be met before or after their change.
 */
final class PathRestore {
  /** Changes of names that wait for their copies: what is above is done before more is read. */
  private static final int ACTIONS_MAX = 10_000;

  /** A directory of the snapshot and the live one that is to become like it. */
  private record Pair(long there, long here) {}

  /** A place for a name in the live tree. */
  private record Place(long directory, byte[] name) {}

  private interface Action {
    void run() throws FsException, IOException;
  }

  private final VolumeState volume;
  private final SourceTree snapshot;
  private final Executor teller;
  private final Supplier<CacheInvalidator> frontEnd;
  private final ItemSource there;
  private final ItemSource here;
  private final InodeStage stage;
  private final RestoredNames names;
  private final PathComparison comparison;
  private final Deque<Pair> directories = new ArrayDeque<>();
  private final List<Action> actions = new ArrayList<>();

  /** For inodes of the snapshot with several names: the live inode that is to have them. */
  private final Map<Long, Long> twins = new HashMap<>();

  /** For live inodes with several names: the inode of the snapshot that they are kept for. */
  private final Map<Long, Long> keptFor = new HashMap<>();

  private Place top;
  private long topDirectory;
  private long changed;
  private long added;
  private long removed;

  /**
   * @param teller tells the front end on the way, in order, by a thread without a lock
   * @param frontEnd as it is when it is told
   */
  PathRestore(
      VolumeState volume,
      SourceTree snapshot,
      Executor teller,
      Supplier<CacheInvalidator> frontEnd) {
    this.volume = volume;
    this.snapshot = snapshot;
    this.teller = teller;
    this.frontEnd = frontEnd;
    this.stage = new InodeStage(volume, snapshot);
    this.there = stage.source();
    this.here = ItemSource.of(volume.tree());
    this.names = new RestoredNames(volume);
    this.comparison = new PathComparison(volume, there);
  }

  /**
   * The names on a path that is relative to the root of a dataset. No name at all is the root.
   *
   * @throws DatasetException INVALID_NAME for an absolute path or one with {@code ..};
   *     NAME_TOO_LONG
   */
  static List<byte[]> parse(byte[] path) throws DatasetException {
    List<byte[]> parsed = new ArrayList<>();
    int start = 0;
    for (int i = 0; i <= path.length; i++) {
      if (i == path.length || path[i] == '/') {
        byte[] name = java.util.Arrays.copyOfRange(path, start, i);
        if (i == 0 && path.length > 0) {
          throw invalid(path, "is not relative to the root of the dataset");
        }
        if (DirectoryItems.isDotDot(name)) {
          throw invalid(path, "contains '..'");
        }
        if (name.length > FileSystem.NAME_LENGTH_MAX) {
          throw new DatasetException(
              Reason.NAME_TOO_LONG, "a name on the path is longer than 255 bytes");
        }
        if (name.length > 0 && !DirectoryItems.isDot(name)) {
          parsed.add(name);
        }
        start = i + 1;
      } else if (path[i] == 0) {
        throw invalid(path, "contains a NUL byte");
      }
    }
    return parsed;
  }

  private static DatasetException invalid(byte[] path, String why) {
    return new DatasetException(
        Reason.INVALID_NAME,
        "the path '%s' %s".formatted(new String(path, StandardCharsets.UTF_8), why));
  }

  /**
   * Restores a path. What was written before the call is compared; the result is in the open txg,
   * or durable already.
   *
   * @param path from {@link #parse}
   * @throws DatasetException NOT_FOUND when the snapshot lacks the path or is destroyed meanwhile,
   *     EXISTS when something that is no directory stands in the way now
   */
  Volume.Restored run(List<byte[]> path) throws FsException, IOException {
    Inode original = findOriginal(path);
    volume.checkWritable();
    volume.txgs().syncAll();
    try {
      restoreTop(path, original);
      while (!directories.isEmpty()) {
        merge(directories.pop());
        flushIfMuch();
      }
      flush();
    } finally {
      stage.abandon();
      teller.execute(names.telling(frontEnd));
    }
    return new Volume.Restored(changed, added, removed);
  }

  private Inode findOriginal(List<byte[]> path) throws IOException {
    long at = FileSystem.ROOT_INODE;
    boolean found = snapshot.root() != null;
    for (int i = 0; found && i < path.size(); i++) {
      NameFormat.Entry entry = there.entry(at, path.get(i));
      found = entry != null && (i == path.size() - 1 || entry.type() == FileType.DIRECTORY);
      at = found ? entry.inode() : at;
    }
    if (!found) {
      throw new DatasetException(
          Reason.NOT_FOUND, "'%s' has no '%s'".formatted(snapshot.name(), text(path)));
    }
    return requireOriginal(at);
  }

  private Inode requireOriginal(long number) throws IOException {
    Inode inode = there.inode(number);
    if (inode == null) {
      throw new io.cowfs.core.block.CorruptBlockException(
          "a name leads to inode " + number + ", which does not exist");
    }
    return inode;
  }

  /** What a live name led to a moment ago. */
  private Inode requireLive(long number) throws FsException, IOException {
    Inode inode = here.inode(number);
    if (inode == null) {
      throw new FsException(FsError.BUSY);
    }
    return inode;
  }

  private static String text(List<byte[]> path) {
    StringBuilder text = new StringBuilder();
    for (byte[] name : path) {
      text.append(text.isEmpty() ? "" : "/").append(new String(name, StandardCharsets.UTF_8));
    }
    return text.toString();
  }

  /** Finds the place of the path, makes the directories above it that are gone, and begins. */
  private void restoreTop(List<byte[]> path, Inode original) throws FsException, IOException {
    if (path.isEmpty()) {
      topDirectory = FileSystem.ROOT_INODE;
      mergeDirectories(original, topDirectory);
      return;
    }
    Pair at = new Pair(FileSystem.ROOT_INODE, FileSystem.ROOT_INODE);
    List<Action> finishing = new ArrayList<>();
    for (int i = 0; i < path.size() - 1; i++) {
      byte[] name = path.get(i);
      Inode above = requireOriginal(there.entry(at.there, name).inode());
      NameFormat.Entry live = here.entry(at.here, name);
      if (live != null && live.type() != FileType.DIRECTORY) {
        throw new DatasetException(
            Reason.EXISTS,
            "'%s' is no directory now; move it away first".formatted(text(path.subList(0, i + 1))));
      }
      long number = live != null ? live.inode() : add(new Place(at.here, name), above, 0);
      if (live == null) {
        added++;
        finishing.add(() -> names.setAttributes(number, above, comparison.xattrsOf(above)));
      }
      at = new Pair(above.number, number);
    }
    top = new Place(at.here, path.get(path.size() - 1));
    restoreEntry(top, original, here.entry(top.directory, top.name));
    actions.addAll(finishing);
  }

  // ---- reading: what is to be done

  /** Goes through two directories in the order of the slots, which is that of the names' hashes. */
  private void merge(Pair pair) throws FsException, IOException {
    ItemCursor theirs = new ItemCursor(there, pair.there, Items.DIRECTORY_ENTRY);
    ItemCursor ours = new ItemCursor(here, pair.here, Items.DIRECTORY_ENTRY);
    while (theirs.peek() != null || ours.peek() != null) {
      long a = theirs.bucket();
      long b = ours.bucket();
      long bucket = a < 0 ? b : b < 0 ? a : Math.min(a, b);
      Map<ByteBuffer, NameFormat.Entry> live = new LinkedHashMap<>();
      ours.takeBucket(bucket).forEach(entry -> live.put(ByteBuffer.wrap(entry.name()), entry));
      for (NameFormat.Entry entry : theirs.takeBucket(bucket)) {
        Place place = new Place(pair.here, entry.name());
        Inode original = requireOriginal(entry.inode());
        restoreEntry(place, original, live.remove(ByteBuffer.wrap(entry.name())));
      }
      for (NameFormat.Entry entry : live.values()) {
        remove(new Place(pair.here, entry.name()), entry);
      }
      flushIfMuch();
    }
    Inode original = requireOriginal(pair.there);
    actions.add(() -> names.setAttributes(pair.here, original, comparison.xattrsOf(original)));
  }

  private void remove(Place place, NameFormat.Entry entry) {
    if (entry.type() == FileType.DIRECTORY) {
      actions.add(() -> removed += names.removeTree(place.directory, place.name, entry.inode()));
    } else {
      removed++;
      actions.add(() -> names.unlink(place.directory, place.name, entry.inode()));
    }
  }

  /**
   * @param live what has the name now; null for nothing
   */
  private void restoreEntry(Place place, Inode original, NameFormat.Entry live)
      throws FsException, IOException {
    boolean wasDirectory = live != null && live.type() == FileType.DIRECTORY;
    if (original.isDirectory() && wasDirectory) {
      if (place.equals(top)) {
        topDirectory = live.inode();
      }
      mergeDirectories(original, live.inode());
      return;
    }
    Inode old = live == null || wasDirectory ? null : requireLive(live.inode());
    if (!original.isDirectory() && isKept(original, old)) {
      return;
    }
    if (live == null) {
      added++;
    } else {
      changed++;
    }
    if (wasDirectory) {
      // What was in it; the entry itself changes.
      actions.add(() -> removed += names.removeTree(place.directory, place.name, live.inode()) - 1);
    }
    long number = give(place, original, old == null ? 0 : old.number);
    if (original.isDirectory()) {
      directories.push(new Pair(original.number, number));
    }
  }

  private void mergeDirectories(Inode original, long live) throws FsException, IOException {
    if (!comparison.sameSettings(original, requireLive(live))) {
      changed++;
    }
    directories.push(new Pair(original.number, live));
  }

  /** True when the live file stays; its attributes may be about to be set. */
  private boolean isKept(Inode original, Inode live) throws FsException, IOException {
    Long twin = twinOf(original);
    if (live == null || twin != null) {
      return live != null && twin == live.number;
    }
    Long other = keptFor.get(live.number);
    if ((other != null && other != original.number) || !comparison.sameContent(original, live)) {
      return false;
    }
    if (!comparison.sameAttributes(original, live)) {
      if (!isOnlyInside(live)) {
        return false;
      }
      changed++;
      setInPlace(original, live.number);
    }
    keep(original, live);
    return true;
  }

  private void setInPlace(Inode original, long live) {
    actions.add(() -> names.setAttributes(live, original, comparison.xattrsOf(original)));
  }

  private void keep(Inode original, Inode live) {
    if (original.nlink > 1) {
      twins.put(original.number, live.number);
    }
    if (live.nlink > 1) {
      keptFor.put(live.number, original.number);
    }
  }

  /**
   * The live inode for a file of several names, where that is known: it may still be what it was
   * under another of them.
   */
  private Long twinOf(Inode original) throws FsException, IOException {
    if (original.nlink <= 1) {
      return null;
    }
    Long known = twins.get(original.number);
    if (known != null) {
      return known;
    }
    Inode live = here.inode(original.number);
    if (live == null
        || live.nlink == 0
        || keptFor.containsKey(live.number)
        || !comparison.sameContent(original, live)
        || !comparison.sameAttributes(original, live)
        || !haveCommonName(original.number)) {
      return null;
    }
    twins.put(original.number, live.number);
    keptFor.put(live.number, original.number);
    return live.number;
  }

  private boolean haveCommonName(long number) throws IOException {
    List<DirectoryItems.Link> live = DirectoryItems.linksOf(here, number);
    for (DirectoryItems.Link link : DirectoryItems.linksOf(there, number)) {
      for (DirectoryItems.Link other : live) {
        if (link.parent() == other.parent() && java.util.Arrays.equals(link.name(), other.name())) {
          return true;
        }
      }
    }
    return false;
  }

  /** True when all names of a live file are on the path that is restored. */
  private boolean isOnlyInside(Inode live) throws IOException {
    if (live.nlink == 1) {
      return true;
    }
    for (DirectoryItems.Link link : DirectoryItems.linksOf(here, live.number)) {
      boolean inside =
          topDirectory == 0
              ? link.parent() == top.directory && java.util.Arrays.equals(link.name(), top.name)
              : volume.directories().isAtOrBelow(link.parent(), topDirectory);
      if (!inside) {
        return false;
      }
    }
    return true;
  }

  /** Gives a name to the twin of an inode, or to a copy. Returns the number of that. */
  private long give(Place place, Inode original, long old) throws FsException, IOException {
    Long twin = twinOf(original);
    if (twin == null) {
      return add(place, original, old);
    }
    // A copy has its first name by then, because that was asked for before.
    actions.add(() -> names.place(place.directory, place.name, null, twin, old));
    return twin;
  }

  private long add(Place place, Inode original, long old) throws FsException, IOException {
    Inode copy = stage.copy(original);
    if (!original.isDirectory() && original.nlink > 1) {
      twins.put(original.number, copy.number);
    }
    actions.add(
        () -> {
          names.place(place.directory, place.name, copy, copy.number, old);
          stage.linked(copy.number);
        });
    return copy.number;
  }

  // ---- changing

  private void flushIfMuch() throws FsException, IOException {
    if (stage.isFull() || actions.size() >= ACTIONS_MAX) {
      flush();
    }
  }

  /**
   * Makes the copies durable, then changes the names and has the front end told, which may believe
   * that they are not there.
   */
  private void flush() throws FsException, IOException {
    stage.commit();
    for (Action action : actions) {
      action.run();
    }
    actions.clear();
    teller.execute(names.telling(frontEnd));
  }
}
