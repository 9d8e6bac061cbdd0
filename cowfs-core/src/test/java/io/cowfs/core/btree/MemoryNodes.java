package io.cowfs.core.btree;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Nodes in memory, with a strict account of them: a node leaves at most once, and never in the txg
 * that wrote it. Used by one thread.
 */
final class MemoryNodes implements NodeWriter {
  private final Map<Long, byte[]> nodes = new HashMap<>();
  private final Set<Long> live = new HashSet<>();
  private long nextSector = 130;
  private long txg = 1;
  long reads;
  long writes;
  long departures;

  /** Begins the next txg; nodes that left become unreadable. */
  void nextTxg() {
    txg++;
    nodes.keySet().retainAll(live);
    reads = 0;
    writes = 0;
    departures = 0;
  }

  long txg() {
    return txg;
  }

  Set<Long> live() {
    return live;
  }

  @Override
  public byte[] readNode(BlockPointer pointer) throws CorruptBlockException {
    reads++;
    byte[] node = nodes.get(pointer.sector());
    if (node == null) {
      throw new CorruptBlockException("no node at sector " + pointer.sector());
    }
    return node;
  }

  @Override
  public BlockPointer writeNode(byte[] node) throws CorruptBlockException {
    writes++;
    BlockPointer pointer =
        new BlockPointer(
            nextSector,
            NodeFormat.NODE_BYTES,
            NodeFormat.NODE_BYTES,
            Compression.NONE,
            ChecksumAlgorithm.XXH3_64,
            -nextSector,
            txg);
    nextSector += pointer.sectors();
    Node.validate(node, pointer);
    nodes.put(pointer.sector(), node);
    live.add(pointer.sector());
    return pointer;
  }

  @Override
  public void leaves(BlockPointer pointer) {
    departures++;
    if (pointer.birthTxg() == txg) {
      throw new AssertionError("written and gone in one txg: " + pointer);
    }
    if (!live.remove(pointer.sector())) {
      throw new AssertionError("left twice: " + pointer);
    }
  }

  /** Puts other bytes where a node is. */
  void damage(BlockPointer pointer, byte[] bytes) {
    nodes.put(pointer.sector(), bytes);
  }
}
