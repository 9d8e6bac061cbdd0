package io.cowfs.core.fs;

import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.btree.Key;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.fs.LogEntry.HoleMade;
import io.cowfs.core.fs.LogEntry.ItemDeleted;
import io.cowfs.core.fs.LogEntry.ItemPut;
import io.cowfs.core.fs.LogEntry.SectorsWritten;
import io.cowfs.core.txg.IntentLog;
import io.cowfs.core.txg.PoolSuspendedException;
import io.cowfs.core.txg.TransactionGroups;
import io.cowfs.core.txg.TransactionalTree;
import io.cowfs.core.txg.Txg;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Makes again what the intent log has beyond the last commit, in all datasets, as one txg, and
 * commits it. Everything that was logged of one txg or of two is in that one, so a crash meanwhile
 * leaves the last commit and the log as they were.
 *
 * <p>Runs before any volume is open and before anything else takes part in commits: the txg of the
 * replay must be the one that follows the last commit. No space is reserved: what is replayed was
 * promised space before the crash.
 */
public final class LogReplay {
  private final VolumeServices services;
  private final long txgNumber;

  private LogReplay(VolumeServices services) {
    this.services = services;
    this.txgNumber = services.txgs().openTxg();
  }

  /**
   * Replays what was recovered.
   *
   * @param heads of all datasets
   * @throws CorruptBlockException when it cannot have been logged; nothing is committed then
   * @throws UnreplayableLogException when a tree is damaged where a change belongs, likewise
   * @throws IOException when it cannot be read or committed; the log stays what it is
   */
  public static void run(
      VolumeServices services, List<DatasetHead> heads, List<IntentLog.Section> sections)
      throws IOException {
    Map<Integer, List<LogEntry>> entries = decode(sections);
    new LogReplay(services).run(heads, entries);
  }

  private static Map<Integer, List<LogEntry>> decode(List<IntentLog.Section> sections)
      throws IOException {
    Map<Integer, List<LogEntry>> entries = new LinkedHashMap<>();
    for (IntentLog.Section section : sections) {
      ByteBuffer changes = section.changes();
      while (changes.hasRemaining()) {
        LogEntry entry = LogEntryFormat.decode(changes);
        entries.computeIfAbsent(entry.dataset(), id -> new ArrayList<>()).add(entry);
      }
    }
    return entries;
  }

  private void run(List<DatasetHead> heads, Map<Integer, List<LogEntry>> entries)
      throws IOException {
    TransactionGroups txgs = services.txgs();
    List<VolumeSync> participants = new ArrayList<>();
    Map<VolumeState, List<LogEntry>> work = new LinkedHashMap<>();
    for (DatasetHead head : heads) {
      List<LogEntry> ofHead = entries.remove(head.id());
      if (ofHead != null) {
        VolumeState volume = new VolumeState(services, head, txgNumber);
        VolumeSync participant = new VolumeSync(volume);
        participants.add(participant);
        txgs.addIndependent(participant);
        work.put(volume, ofHead);
      }
    }
    if (!entries.isEmpty()) {
      throw new CorruptBlockException(
          "the intent log has changes of a dataset that is not there: " + entries.keySet());
    }
    for (Map.Entry<VolumeState, List<LogEntry>> each : work.entrySet()) {
      requireReadable(each.getKey().tree(), each.getValue());
    }
    Txg txg = txgs.join();
    boolean complete = false;
    try {
      for (Map.Entry<VolumeState, List<LogEntry>> each : work.entrySet()) {
        new OfVolume(each.getKey(), txg).apply(each.getValue());
      }
      complete = txg.number() == txgNumber;
    } finally {
      if (!complete) {
        txgs.suspend(new IOException("the intent log could not be replayed"));
      }
      txg.leave();
    }
    awaitDurable(txgs);
    participants.forEach(txgs::removeIndependent);
  }

  /** What is left of compressed extents that are cut is read by the commit, and may be damaged. */
  private void awaitDurable(TransactionGroups txgs) throws IOException {
    try {
      txgs.awaitDurable(txgNumber, () -> false);
    } catch (PoolSuspendedException suspended) {
      if (suspended.getCause() instanceof CorruptBlockException damage) {
        throw new UnreplayableLogException(damage);
      }
      throw suspended;
    }
  }

  /** A commit that meets damage would suspend the pool, at each opening. */
  private static void requireReadable(TransactionalTree tree, List<LogEntry> entries)
      throws UnreplayableLogException {
    try {
      for (LogEntry entry : entries) {
        if (entry instanceof ItemPut put) {
          tree.requireChangeable(put.key());
        } else if (entry instanceof ItemDeleted deleted) {
          tree.requireChangeable(deleted.key());
        } else if (entry instanceof SectorsWritten written) {
          long end = written.sector() + written.sectors();
          requireReadable(tree, written.inode(), written.sector(), end);
        } else if (entry instanceof HoleMade hole) {
          requireReadable(tree, hole.inode(), hole.from(), hole.to());
        }
      }
    } catch (IOException damage) {
      throw new UnreplayableLogException(damage);
    }
  }

  private static void requireReadable(TransactionalTree tree, long inode, long from, long to)
      throws IOException {
    tree.requireChangeable(Items.inlineData(inode));
    long first = Math.max(0, DirtyFile.bytes(from) - FileReads.EXTENT_BYTES_MAX);
    tree.requireChangeable(Items.extent(inode, first), Items.extent(inode, DirtyFile.bytes(to)));
  }

  /** The replay in one volume. */
  private static final class OfVolume {
    private final VolumeState volume;
    private final Txg txg;

    /** The attributes that inodes have in the end, by their number. */
    private final Map<Long, byte[]> inodes = new TreeMap<>();

    private final Map<Long, List<LogEntry>> contents = new TreeMap<>();

    OfVolume(VolumeState volume, Txg txg) {
      this.volume = volume;
      this.txg = txg;
    }

    void apply(List<LogEntry> entries) throws IOException {
      for (LogEntry entry : entries) {
        if (entry instanceof ItemPut put) {
          apply(put);
        } else if (entry instanceof ItemDeleted deleted) {
          volume.tree().delete(txg, deleted.key());
        } else if (entry instanceof SectorsWritten written) {
          contents.computeIfAbsent(written.inode(), inode -> new ArrayList<>()).add(written);
        } else if (entry instanceof HoleMade hole) {
          contents.computeIfAbsent(hole.inode(), inode -> new ArrayList<>()).add(hole);
        }
      }
      for (Map.Entry<Long, byte[]> inode : inodes.entrySet()) {
        settle(inode.getKey(), inode.getValue());
      }
      for (Map.Entry<Long, List<LogEntry>> content : contents.entrySet()) {
        applyContent(content.getKey(), content.getValue());
      }
    }

    private void apply(ItemPut put) throws IOException {
      Key key = put.key();
      if (key.kind() != Items.INODE) {
        if (key.kind() == Items.XATTR_VALUE) {
          volume.skipInodeNumber(Items.valueId(key));
        }
        volume.tree().put(txg, key, put.value());
        return;
      }
      InodeFormat.check(key.high(), put.value());
      inodes.put(key.high(), put.value());
    }

    /**
     * Attributes as they were logged, but for the space that the file takes: that is what the last
     * commit gave it, until the replay is committed.
     */
    private void settle(long number, byte[] logged) throws IOException {
      Key key = Items.inode(number);
      byte[] committed = volume.tree().get(key);
      long allocated =
          committed == null ? 0 : InodeFormat.getLong(committed, InodeFormat.ALLOCATED_SECTORS);
      byte[] value = InodeFormat.withAllocatedSectors(logged, allocated);
      boolean wasLinked = committed != null && isLinked(committed);
      volume
          .stateOf(txg.number())
          .moreFiles()
          .addAndGet((isLinked(value) ? 1 : 0) - (wasLinked ? 1 : 0));
      volume.skipInodeNumber(number);
      volume.tree().put(txg, key, value);
      inodes.put(number, value);
    }

    private static boolean isLinked(byte[] item) {
      return InodeFormat.getInt(item, InodeFormat.NLINK) > 0;
    }

    private void applyContent(long number, List<LogEntry> changes) throws IOException {
      byte[] item = inodes.get(number);
      if (item == null) {
        throw new CorruptBlockException(
            "the intent log has content of inode " + number + " without its attributes");
      }
      Inode inode = new Inode(number);
      inode.decode(item);
      if (!inode.isRegular()) {
        throw new CorruptBlockException(
            "the intent log has content of inode " + number + ", which is no file");
      }
      if (inode.nlink == 0) {
        return; // Nobody can have it open any more.
      }
      volume.inodes().add(inode);
      inode.writeLock().lock();
      try {
        DirtyFile layer = volume.dirtyLayer(inode, txg, volume.head().settings().copies());
        inode.changedTxg = txg.number();
        for (LogEntry change : changes) {
          if (change instanceof SectorsWritten written) {
            write(layer, written);
          } else if (change instanceof HoleMade hole) {
            layer.punch(hole.from(), hole.to());
          }
        }
        layer.reservesNothing();
      } finally {
        inode.writeLock().unlock();
      }
      volume.inodes().release(inode);
    }

    private void write(DirtyFile layer, SectorsWritten written) {
      PageArena arena = volume.arena();
      ByteBuffer content = ByteBuffer.wrap(written.content());
      for (int i = 0; i < written.sectors(); i++) {
        long sector = written.sector() + i;
        int page = layer.pageForWriting(sector);
        int at = i * PageArena.PAGE_BYTES;
        int bytes = Math.max(0, Math.min(PageArena.PAGE_BYTES, content.capacity() - at));
        if (bytes > 0) {
          arena.copyIn(page, 0, content, at, bytes);
        }
        arena.zero(page, bytes, PageArena.PAGE_BYTES - bytes);
      }
    }
  }
}
