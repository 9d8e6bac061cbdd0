package io.cowfs.core.fs;

import io.cowfs.core.txg.ReadPins;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.DirectoryVisitor;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.InodeFlag;
import io.cowfs.core.vfs.OpenFlags;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * What is in the snapshots of a dataset, under {@link BrowseNumbers}. Reading leaves no trace.
 * Thread-safe.
 *
 * <p>Each operation first takes a {@link ReadPins.Pin} and then sees whether its snapshot is still
 * there: if it is, its space stays untouched until the operation ends, also when the snapshot is
 * destroyed meanwhile. If it is not, the answer is STALE. Between two operations nothing is held.
 */
final class SnapshotTrees extends ReadOnlyFileSystem {
  /** Opened trees that are kept; each is about a kilobyte, and quickly opened again. */
  private static final int VOLUMES_MAX = 64;

  private final VolumeServices services;
  private final SnapshotShelf shelf;
  private final SnapshotSlots slots = new SnapshotSlots();

  /** By node, the one used last at the end. Guarded by itself. */
  private final Map<Integer, SnapshotVolume> volumes =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Integer, SnapshotVolume> eldest) {
          return size() > VOLUMES_MAX;
        }
      };

  SnapshotTrees(FileSystem live, VolumeServices services, SnapshotShelf shelf) {
    super(live, FsError.READ_ONLY);
    this.services = services;
    this.shelf = shelf;
  }

  SnapshotSlots slots() {
    return slots;
  }

  /** An open file or directory of a snapshot. */
  private record Handle(long inode, int node, SnapshotVolume volume, Inode target)
      implements FileHandle {}

  /** Reads in a snapshot that is there and stays readable. */
  private interface Reading<T> {
    T run(SnapshotShelf.Kept kept, SnapshotVolume volume) throws FsException, IOException;
  }

  private <T> T reading(int node, long number, Reading<T> body) throws FsException {
    services.checkNotShutDown();
    ReadPins.Pin pin = services.txgs().readPins().pin();
    try (pin) {
      SnapshotShelf.Kept kept = shelf.byNode(node);
      if (kept == null) {
        throw new FsException(FsError.STALE);
      }
      SnapshotVolume volume = volume(kept);
      return StorageErrors.call(() -> describe(kept, volume, number), () -> body.run(kept, volume));
    }
  }

  private <T> T reading(long number, Reading<T> body) throws FsException {
    return reading(slots.nodeOf(number), number, body);
  }

  private SnapshotVolume volume(SnapshotShelf.Kept kept) {
    synchronized (volumes) {
      return volumes.computeIfAbsent(kept.node(), node -> new SnapshotVolume(services, kept));
    }
  }

  private String describe(SnapshotShelf.Kept kept, SnapshotVolume volume, long number) {
    long inner = BrowseNumbers.inner(number);
    return "%s@%s:%s (inode %d)"
        .formatted(shelf.dataset(), kept.name(), volume.directories().pathOf(inner), inner);
  }

  /** What a snapshot's inode shows; its generation tells to whom its number belongs. */
  private static Attributes attributes(int node, long number, Inode inode) {
    Attributes own = inode.attributes();
    return new Attributes(
        number,
        node,
        own.mode(),
        own.nlink(),
        own.uid(),
        own.gid(),
        own.rdev(),
        own.size(),
        own.allocatedBytes(),
        own.atime(),
        own.mtime(),
        own.ctime(),
        own.btime());
  }

  /** Counts one reference to the root directory of a snapshot. */
  Attributes referenceRoot(int node) throws FsException {
    return referenced(slots.referenceRoot(node));
  }

  /** The directory that lists the snapshot to which an inode number belongs. */
  long listedIn(long number) throws FsException {
    return reading(number, (kept, volume) -> listedIn(kept));
  }

  private static long listedIn(SnapshotShelf.Kept kept) {
    return switch (kept.kind()) {
      case SNAPSHOT -> BrowseNumbers.SNAPSHOTS;
      case CHECKPOINT -> BrowseNumbers.CHECKPOINTS;
    };
  }

  /** The name {@code ..} of a snapshot's root does not come here: it leads out of the snapshot. */
  @Override
  public Attributes lookup(long parent, byte[] name) throws FsException {
    int slot = BrowseNumbers.slot(parent);
    long found =
        reading(
            parent,
            (kept, volume) -> {
              Inode directory = volume.load(BrowseNumbers.inner(parent));
              long child = BrowseNumbers.of(slot, volume.directories().resolve(directory, name));
              slots.reference(child, kept.node());
              return child;
            });
    return referenced(found);
  }

  @Override
  public Attributes reference(long number) throws FsException {
    slots.reference(number, slots.nodeOf(number));
    return referenced(number);
  }

  private Attributes referenced(long number) throws FsException {
    boolean done = false;
    try {
      Attributes attributes = getAttributes(number);
      done = true;
      return attributes;
    } finally {
      if (!done) {
        slots.forget(number, 1);
      }
    }
  }

  @Override
  public void forget(long number, long count) {
    slots.forget(number, count);
  }

  @Override
  public Attributes getAttributes(long number) throws FsException {
    return reading(
        number,
        (kept, volume) ->
            attributes(kept.node(), number, volume.load(BrowseNumbers.inner(number))));
  }

  @Override
  public Set<InodeFlag> getFlags(long number) throws FsException {
    return reading(
        number, (kept, volume) -> InodeFlags.of(volume.load(BrowseNumbers.inner(number))));
  }

  @Override
  public byte[] readSymlink(long number) throws FsException {
    return reading(
        number,
        (kept, volume) -> volume.reads().readSymlink(volume.load(BrowseNumbers.inner(number))));
  }

  @Override
  public FileHandle open(long number, Set<OpenFlags> flags) throws FsException {
    if (flags.contains(OpenFlags.WRITE) || flags.contains(OpenFlags.TRUNCATE)) {
      throw refused();
    }
    return opened(
        number,
        inode -> {
          if (!inode.isRegular()) {
            throw new FsException(inode.isDirectory() ? FsError.IS_A_DIRECTORY : FsError.INVALID);
          }
        });
  }

  @Override
  public FileHandle openDirectory(long number, Set<OpenFlags> flags) throws FsException {
    return opened(
        number,
        inode -> {
          if (!inode.isDirectory()) {
            throw new FsException(FsError.NOT_A_DIRECTORY);
          }
        });
  }

  private interface InodeCheck {
    void check(Inode inode) throws FsException;
  }

  private FileHandle opened(long number, InodeCheck type) throws FsException {
    return reading(
        number,
        (kept, volume) -> {
          Inode inode = volume.load(BrowseNumbers.inner(number));
          type.check(inode);
          slots.opened(number, kept.node());
          return new Handle(number, kept.node(), volume, inode);
        });
  }

  static boolean owns(FileHandle handle) {
    return handle instanceof Handle;
  }

  @Override
  public void release(FileHandle handle) {
    slots.closed(handle.inode());
  }

  private <T> T reading(FileHandle handle, Mutation.Body<T> body) throws FsException {
    Handle open = (Handle) handle;
    return reading(open.node, open.inode, (kept, volume) -> body.run());
  }

  @Override
  public int read(FileHandle handle, long offset, int length, ByteBuffer destination)
      throws FsException {
    Handle open = (Handle) handle;
    return reading(
        handle, () -> open.volume.reads().readUpTo(open.target, offset, length, destination));
  }

  @Override
  public long seek(FileHandle handle, long offset, SeekTarget target) throws FsException {
    Handle open = (Handle) handle;
    return reading(handle, () -> open.volume.seek().seek(open.target, offset, target));
  }

  @Override
  public void readDirectory(FileHandle handle, long cookie, DirectoryVisitor visitor)
      throws FsException {
    Handle open = (Handle) handle;
    int slot = BrowseNumbers.slot(open.inode);
    boolean root = open.target.number == ROOT_INODE;
    reading(
        open.node,
        open.inode,
        (kept, volume) -> {
          DirectoryVisitor numbered =
              (name, inode, type, at) ->
                  visitor.entry(
                      name,
                      root && at == DirectoryReads.DOT_DOT
                          ? listedIn(kept)
                          : BrowseNumbers.of(slot, inode),
                      type,
                      at);
          volume.directoryReads().read(open.target, cookie, numbered);
          return null;
        });
  }

  @Override
  public byte[] getXattr(long number, byte[] name) throws FsException {
    return reading(
        number,
        (kept, volume) ->
            volume.xattrs().get(volume.load(BrowseNumbers.inner(number)).number, name));
  }

  @Override
  public byte[] listXattrs(long number) throws FsException {
    return reading(
        number,
        (kept, volume) -> volume.xattrs().list(volume.load(BrowseNumbers.inner(number)).number));
  }
}
