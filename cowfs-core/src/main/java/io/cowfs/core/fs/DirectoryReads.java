package io.cowfs.core.fs;

import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.btree.Key;
import io.cowfs.core.txg.TransactionalTree;
import io.cowfs.core.vfs.DirectoryVisitor;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Lock;

/**
 * Lists directories. Entries are collected in batches under the directory's lock and given to the
 * visitor without it, because the visitor may want the inodes behind them. Thread-safe.
 */
final class DirectoryReads {
  private static final int FIRST_BATCH = 32;
  private static final int NEXT_BATCH = 256;
  static final long DOT = 1;
  static final long DOT_DOT = 2;

  private record Listed(NameFormat.Entry entry, long cookie) {}

  private final TransactionalTree tree;
  private final DirectoryItems directories;
  private final Lock gate;

  /**
   * @param gate held while entries are collected: the tree is not replaced meanwhile
   */
  DirectoryReads(TransactionalTree tree, DirectoryItems directories, Lock gate) {
    this.tree = tree;
    this.directories = directories;
    this.gate = gate;
  }

  void read(Inode directory, long cookie, DirectoryVisitor visitor)
      throws FsException, IOException {
    if (cookie < DOT
        && !visitor.entry(new byte[] {'.'}, directory.number, FileType.DIRECTORY, DOT)) {
      return;
    }
    if (cookie < DOT_DOT) {
      long parent = directories.parentOf(directory.number);
      if (!visitor.entry(new byte[] {'.', '.'}, parent, FileType.DIRECTORY, DOT_DOT)) {
        return;
      }
    }
    long from = Math.max(cookie + 1, Items.FIRST_COOKIE);
    int batchSize = FIRST_BATCH;
    while (true) {
      List<Listed> batch = batch(directory, from, batchSize);
      for (Listed listed : batch) {
        NameFormat.Entry entry = listed.entry;
        if (entry.type() == null) {
          throw new CorruptBlockException(
              "directory " + directory.number + " has an entry of no known type");
        }
        if (!visitor.entry(entry.name(), entry.inode(), entry.type(), listed.cookie)) {
          return;
        }
      }
      if (batch.size() < batchSize) {
        return;
      }
      from = batch.get(batchSize - 1).cookie + 1;
      batchSize = NEXT_BATCH;
    }
  }

  private List<Listed> batch(Inode directory, long from, int max) throws FsException, IOException {
    List<Listed> batch = new ArrayList<>(max);
    gate.lock();
    directory.readLock().lock();
    try {
      tree.scan(
          new Key(directory.number, Items.DIRECTORY_ENTRY, from),
          new Key(directory.number, Items.DIRECTORY_ENTRY, -1L),
          (key, value) -> {
            batch.add(new Listed(NameFormat.decode(value), key.low()));
            return batch.size() < max;
          });
    } finally {
      directory.readLock().unlock();
      gate.unlock();
    }
    return batch;
  }
}
