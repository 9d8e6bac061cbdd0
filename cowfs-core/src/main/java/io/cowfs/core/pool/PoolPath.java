package io.cowfs.core.pool;

import io.cowfs.core.device.StorageException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The files of a pool directory. Immutable. */
public record PoolPath(Path directory) {
  private static final Set<String> REFUSED_PREFIXES =
      Set.of("nfs", "cifs", "smb", "9p", "fuse", "ceph", "afs");

  /** The bits of a mode by which others than the owner may write, and may pass a directory. */
  private static final int OTHERS_WRITE = 0022;

  private static final int OTHERS_PASS = 0011;

  /** What is wrong with the directory, as one line. */
  private static final class PoolPathException extends StorageException {
    private static final long serialVersionUID = 1L;

    PoolPathException(String message) {
      super(message);
    }
  }

  private static final String DATA = "data";

  /** The file of a device in a directory of its own. */
  static final String MEMBER_FILE = "data";

  /** The most devices that a pool can have, those that are away included. */
  static final int DEVICES_MAX = 16;

  /** The first, or only, device. */
  Path data() {
    return data(0);
  }

  /** A device of the pool, by its number: a file, or a link to one or to a block device. */
  Path data(int number) {
    return directory.resolve(number == 0 ? DATA : DATA + "." + number);
  }

  /** Those that have an entry in the directory, whether it leads to anything or not. */
  SortedMap<Integer, Path> devices() {
    SortedMap<Integer, Path> found = new TreeMap<>();
    for (int number = 0; number < DEVICES_MAX; number++) {
      if (Files.exists(data(number), LinkOption.NOFOLLOW_LINKS)) {
        found.put(number, data(number));
      }
    }
    return found;
  }

  Path index() {
    return directory.resolve("index");
  }

  private Path lockFile() {
    return directory.resolve("lock");
  }

  /**
   * True when the directory has the files of a pool; says nothing of their state. The index can be
   * lost: it can be made anew.
   */
  public boolean looksLikePool() {
    return !devices().isEmpty() && (Files.isDirectory(index()) || Files.isRegularFile(lockFile()));
  }

  void requirePool() throws IOException {
    if (!Files.exists(directory)) {
      throw new PoolPathException(directory + ": no such pool");
    }
    if (!looksLikePool()) {
      throw new PoolPathException(directory + ": not a cowfs pool");
    }
    if (devices().values().stream().noneMatch(Files::exists)) {
      throw new PoolPathException(
          devices().values().iterator().next() + ": the pool's device is missing");
    }
    requireFitHost(directory);
    requirePrivate();
  }

  /** Who can change the files of a pool can have its user read, write and own whatever he likes. */
  private void requirePrivate() throws IOException {
    int mode = mode(directory);
    if ((mode & OTHERS_WRITE) != 0) {
      throw openToOthers(directory);
    }
    // Where nobody else can pass the directory, the modes of the files say nothing.
    int reaching = (mode & OTHERS_PASS) << 1;
    List<Path> files = new ArrayList<>(devices().values());
    files.add(index());
    files.add(index().resolve("data.mdb"));
    for (Path each : files) {
      boolean isOfPool = Files.isRegularFile(each) || Files.isDirectory(each);
      if (isOfPool && (mode(each) & reaching) != 0) {
        throw openToOthers(each);
      }
    }
  }

  private static int mode(Path file) throws IOException {
    return (Integer) Files.getAttribute(file, "unix:mode");
  }

  private PoolPathException openToOthers(Path file) {
    return new PoolPathException(
        "%s: others than its owner can write there: use 'chmod go-w %s' if they never did"
            .formatted(directory, file));
  }

  /** LMDB and the locks are not safe on network file systems, nor is a pool within a FUSE mount. */
  private void requireFitHost(Path existing) throws IOException {
    String type = Files.getFileStore(existing).type().toLowerCase(Locale.ROOT);
    for (String refused : REFUSED_PREFIXES) {
      if (type.startsWith(refused) && !type.equals("fuseblk")) {
        throw new PoolPathException(
            directory + ": a pool cannot lie on a file system of type " + type);
      }
    }
  }

  /** Where the directory of a new pool comes from. */
  enum Origin {
    MADE,
    WAS_EMPTY
  }

  /** Refuses a directory that cannot become one of a pool. Changes nothing. */
  void requireNew() throws IOException {
    if (!Files.exists(directory)) {
      Path parent = directory.toAbsolutePath().getParent();
      if (parent == null || !Files.isDirectory(parent)) {
        throw new PoolPathException(directory + ": the directory above does not exist");
      }
      requireFitHost(parent);
      return;
    }
    if (!Files.isDirectory(directory)) {
      throw new PoolPathException(directory + ": not a directory");
    }
    if (looksLikePool()) {
      throw new PoolPathException(directory + ": a pool is there already");
    }
    try (Stream<Path> files = Files.list(directory)) {
      if (files.findAny().isPresent()) {
        throw new PoolPathException(directory + ": not empty");
      }
    } catch (UncheckedIOException failure) {
      throw failure.getCause();
    }
    requireFitHost(directory);
  }

  /** Makes the directory, or takes an empty one. */
  Origin prepareNew() throws IOException {
    requireNew();
    Origin origin = Files.exists(directory) ? Origin.WAS_EMPTY : Origin.MADE;
    if (origin == Origin.MADE) {
      Files.createDirectory(directory);
    }
    requireFitHost(directory);
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
    return origin;
  }

  /** Takes back what was made in the directory since {@link #prepareNew}; not a block device. */
  void removeNew(Origin origin) throws IOException {
    List<Path> made;
    try (Stream<Path> files = Files.walk(directory)) {
      made = new ArrayList<>(files.toList());
    } catch (UncheckedIOException failure) {
      throw failure.getCause();
    }
    if (origin == Origin.WAS_EMPTY) {
      made.remove(0);
    }
    // What is in a directory goes before it.
    Collections.reverse(made);
    for (Path each : made) {
      Files.delete(each);
    }
  }

  /** Makes what was created in the directory durable, and the directory itself. */
  void sync() throws IOException {
    for (Path each : new Path[] {directory, directory.toAbsolutePath().getParent()}) {
      if (each != null) {
        try (FileChannel channel = FileChannel.open(each, StandardOpenOption.READ)) {
          channel.force(true);
        }
      }
    }
  }

  /** Keeps other processes, and other openings in this one, out until it is closed. */
  PoolLock lock() throws IOException {
    PoolLock lock = PoolLock.tryLock(lockFile());
    if (lock == null) {
      throw new PoolBusyException(directory + ": the pool is in use by another process");
    }
    return lock;
  }
}
