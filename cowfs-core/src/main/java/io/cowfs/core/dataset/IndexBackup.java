package io.cowfs.core.dataset;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.device.DamagedIndexException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A compacted copy of the index beside it, made when the pool is closed, so that a lost index does
 * not cost a walk through the pool. Its name tells of which commit it is, and there is one only
 * while that is the newest. Used by whoever has the lock of the pool, one thread at a time.
 */
public final class IndexBackup {
  private static final Logger LOG = System.getLogger(IndexBackup.class.getName());

  private static final String NAME = "data.mdb.backup-";

  /** It takes at most this part of what the host has free. */
  private static final int HOST_SHARE = 4;

  private final Path poolDirectory;

  /** There is none of an older commit; until {@link #make} is called nobody makes one. */
  private boolean discarded;

  /**
   * @param poolDirectory of the pool
   */
  public IndexBackup(Path poolDirectory) {
    this.poolDirectory = poolDirectory;
  }

  private Path indexDirectory() {
    return poolDirectory.resolve(Catalog.DIRECTORY);
  }

  private Path file(long txg) {
    return indexDirectory().resolve(NAME + txg);
  }

  /**
   * Makes a backup, durably, if there is none of this commit. An error, or a host with little room,
   * leaves none.
   *
   * @param catalog the pool's own, open
   * @return whether there is one now
   */
  public boolean make(Catalog catalog) throws IOException {
    Path backup = file(catalog.pool().txg());
    if (Files.exists(backup)) {
      return true;
    }
    remove();
    if (catalog.usedBytes() > Files.getFileStore(poolDirectory).getUsableSpace() / HOST_SHARE) {
      return false;
    }
    try {
      Path copy = catalog.copyAside(poolDirectory);
      Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rw-------"));
      try (FileChannel channel = FileChannel.open(copy, StandardOpenOption.WRITE)) {
        channel.force(true);
      }
      Files.move(copy, backup);
      Catalog.syncDirectory(indexDirectory());
      return true;
    } finally {
      Catalog.removeAside(poolDirectory);
    }
  }

  /**
   * A commit has made what there is worthless: its space is the host's again. An error is not one
   * of the commit: what is left is never used, and removed by {@link #make}.
   */
  public void discard() {
    if (discarded) {
      return;
    }
    discarded = true;
    try {
      remove();
    } catch (IOException failure) {
      LOG.log(Level.WARNING, "an old backup of the index is not removed", failure);
    }
  }

  private void remove() throws IOException {
    for (Path backup : all()) {
      Files.deleteIfExists(backup);
    }
  }

  private List<Path> all() throws IOException {
    if (!Files.isDirectory(indexDirectory())) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(indexDirectory())) {
      return files.filter(file -> file.getFileName().toString().startsWith(NAME)).toList();
    }
  }

  /** Whether there is one of a commit; says nothing of its state. */
  public boolean isOf(long txg) {
    return Files.isRegularFile(file(txg));
  }

  /**
   * Puts the backup of a commit in the place of the index, durably, once all of it was read and
   * verified. The old index is kept, and so is the backup.
   *
   * @param directoryRoot as the ring has it for this commit
   * @param suffix for the name of the old index
   * @return the old index; null when there was none
   * @throws DamagedIndexException when the backup is damaged, or not of this state; nothing was
   *     changed then
   */
  public Path restore(
      UUID pool, long capacityBytes, long txg, BlockPointer directoryRoot, String suffix)
      throws IOException {
    try {
      try (Catalog copy = Catalog.openAside(poolDirectory, file(txg), pool, capacityBytes)) {
        CatalogState state = copy.load();
        HistoryCheck.check(state);
        if (state.pool().txg() != txg
            || !state.pool().directoryRoot().equals(Optional.of(directoryRoot))) {
          throw new BadRecordException("it is of another commit");
        }
      } catch (BadRecordException e) {
        throw new DamagedIndexException(file(txg) + ": " + e.getMessage(), e);
      }
      return Catalog.install(poolDirectory, suffix);
    } finally {
      Catalog.removeAside(poolDirectory);
    }
  }
}
