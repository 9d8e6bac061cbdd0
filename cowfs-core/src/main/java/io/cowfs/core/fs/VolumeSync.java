package io.cowfs.core.fs;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockWriter;
import io.cowfs.core.btree.Change;
import io.cowfs.core.btree.ChangeSource;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeWriter;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.btree.TreeUpdate;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.txg.Overlay;
import io.cowfs.core.txg.Participant;
import io.cowfs.core.txg.TransactionalTree;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NoSuchElementException;
import java.util.TreeMap;

/** A volume's part in each commit. Owned by the sync thread. */
final class VolumeSync implements Participant {
  private final VolumeState volume;
  private final TransactionalTree tree;
  private final DatasetHead head;
  private List<Inode> dirtyInodes = List.of();
  private List<ClonedRange> clones = List.of();
  private List<Relocation> relocations = List.of();

  VolumeSync(VolumeState volume) {
    this.volume = volume;
    this.tree = volume.tree();
    this.head = volume.head();
  }

  @Override
  public void freeze(long next) {
    volume.freezeState(next);
    tree.freeze(next);
  }

  @Override
  public boolean hasBacklog() {
    return !volume.reaper().isIdle();
  }

  @Override
  public long oldestPinnedTxg() {
    return tree.oldestPinnedTxg();
  }

  @Override
  public void sync(long txg, BlockWriter writer) throws IOException {
    Overlay overlay = tree.syncing();
    dirtyInodes = new ArrayList<>(volume.stateOf(txg).dirtyInodes());
    dirtyInodes.sort(Comparator.comparingLong(inode -> inode.number));

    TreeMap<Key, byte[]> changes = new TreeMap<>();
    FileFlush flush =
        new FileFlush(tree.committed(), head, writer, volume.store(), volume.arena(), changes);
    clones = List.copyOf(volume.stateOf(txg).clones());
    // First of all: they raise counts of references, the others lower them.
    TreeEdits.Target edited = new TreeEdits.Target(txg, head, flush, changes);
    for (ClonedRange clone : clones) {
      clone.count(edited);
    }
    volume.edits().applyAll(edited);
    for (ClonedRange clone : clones) {
      allocated(clone.target(), clone.put(edited), overlay, changes, null);
    }
    Reaper.Harvest harvest = volume.reaper().harvest(txg, tree, head, volume.orphansToReap());
    for (long inode : harvest.gone) {
      changes.put(Items.orphan(inode), null);
    }
    for (Inode inode : dirtyInodes) {
      if (!harvest.gone.contains(inode.number) && !volume.inodes().isDoomed(inode, txg)) {
        flushFile(flush, inode, txg, overlay, changes);
      }
    }
    relocations = List.copyOf(volume.stateOf(txg).relocations());
    // Last of all: whatever else this txg does to a file comes before.
    for (Relocation relocation : relocations) {
      relocation.apply(new Relocation.Sync(tree.committed(), overlay, changes, head, writer));
    }
    Iterator<Change> points = new Points(overlay, changes, harvest);
    NodeWriter nodes = new CountingWriter(head.nodeWriter());
    BlockPointer root =
        TreeUpdate.apply(
            tree.committed(), ChangeSource.merging(harvest.ranges.iterator(), points), nodes);
    long moreFiles = volume.stateOf(txg).moreFiles().getAndSet(0);
    head.synced(root, volume.peekNextInodeNumber(), moreFiles);
  }

  /** Keeps the volume's count of nodes. */
  private final class CountingWriter implements NodeWriter {
    private final NodeWriter writer;

    CountingWriter(NodeWriter writer) {
      this.writer = writer;
    }

    @Override
    public byte[] readNode(BlockPointer pointer) throws IOException {
      return writer.readNode(pointer);
    }

    @Override
    public BlockPointer writeNode(byte[] content) throws IOException {
      volume.addTreeNodes(1);
      return writer.writeNode(content);
    }

    @Override
    public void leaves(BlockPointer pointer) throws IOException {
      volume.addTreeNodes(-1);
      writer.leaves(pointer);
    }
  }

  private void flushFile(
      FileFlush flush, Inode inode, long txg, Overlay overlay, NavigableMap<Key, byte[]> changes)
      throws IOException {
    DirtyFile layer;
    inode.readLock().lock();
    try {
      layer = inode.dirtyOf(txg);
    } finally {
      inode.readLock().unlock();
    }
    byte[] item = overlay.items().get(Items.inode(inode.number));
    long size = InodeFormat.getLong(item, InodeFormat.SIZE);
    allocated(inode, flush.flush(inode, layer, size), overlay, changes, layer);
  }

  /**
   * The file takes that many sectors from now on.
   *
   * @param layer the dirty data that is among them; null when there was none
   */
  private void allocated(
      Inode inode,
      long allocated,
      Overlay overlay,
      NavigableMap<Key, byte[]> changes,
      DirtyFile layer) {
    Key key = Items.inode(inode.number);
    byte[] item = overlay.items().get(key);
    changes.put(key, InodeFormat.withAllocatedSectors(item, allocated));
    inode.writeLock().lock();
    try {
      inode.takes(allocated, InodeFormat.getLong(item, InodeFormat.SIZE));
      inode.clonedSectors = 0;
      if (layer != null) {
        layer.setAllocated();
      }
      tree.correctInOpenTxg(key, inode.encode());
    } finally {
      inode.writeLock().unlock();
    }
  }

  @Override
  public void published(long txg) {
    tree.publish(new Tree(head.root(), volume.nodes()), txg);
    for (Inode inode : dirtyInodes) {
      volume.dropDirty(inode, txg);
    }
    dirtyInodes = List.of();
    clones.forEach(volume::removeClone);
    clones = List.of();
    relocations.forEach(relocation -> relocation.published(volume));
    relocations = List.of();
    volume.forgetState(txg);
  }

  /**
   * The overlay's changes and those of the sync thread as one ascending sequence. The sync thread's
   * win; those of inodes that are gone are left out.
   */
  private static final class Points implements Iterator<Change> {
    private final Iterator<Map.Entry<Key, byte[]>> overlay;
    private final Iterator<Map.Entry<Key, byte[]>> own;
    private final Reaper.Harvest harvest;
    private Map.Entry<Key, byte[]> nextOverlay;
    private Map.Entry<Key, byte[]> nextOwn;

    Points(Overlay overlay, NavigableMap<Key, byte[]> own, Reaper.Harvest harvest) {
      this.overlay = overlay.items().entrySet().iterator();
      this.own = own.entrySet().iterator();
      this.harvest = harvest;
      advanceOverlay();
      advanceOwn();
    }

    private void advanceOverlay() {
      do {
        nextOverlay = overlay.hasNext() ? overlay.next() : null;
      } while (nextOverlay != null && harvest.gone.contains(nextOverlay.getKey().high()));
    }

    private void advanceOwn() {
      nextOwn = own.hasNext() ? own.next() : null;
    }

    @Override
    public boolean hasNext() {
      return nextOverlay != null || nextOwn != null;
    }

    @Override
    public Change next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      int order =
          nextOverlay == null
              ? 1
              : nextOwn == null ? -1 : nextOverlay.getKey().compareTo(nextOwn.getKey());
      Map.Entry<Key, byte[]> entry = order < 0 ? nextOverlay : nextOwn;
      if (order <= 0) {
        advanceOverlay();
      }
      if (order >= 0) {
        advanceOwn();
      }
      byte[] value = entry.getValue();
      return value == null || value == Overlay.DELETED
          ? Change.delete(entry.getKey())
          : Change.put(entry.getKey(), value);
    }
  }
}
