package io.cowfs.core.fs;

/**
 * How often the front end holds each inode: a compact hash table from inode number to count,
 * because a kernel may hold millions. Thread-safe; {@code this} guards it. Open addressing with
 * linear probing and deletion by shifting back (Knuth, TAOCP vol. 3, 6.4, algorithm R).
 */
final class ReferenceCounts {
  private static final int INITIAL_SLOTS = 1024;

  /** Inode numbers start at 1: 0 marks a free slot. */
  private long[] inodes = new long[INITIAL_SLOTS];

  private long[] counts = new long[INITIAL_SLOTS];
  private int used;

  private static int slot(long inode, int mask) {
    long mixed = inode * 0x9E3779B97F4A7C15L;
    return (int) (mixed >>> 32) & mask;
  }

  private int find(long inode) {
    int mask = inodes.length - 1;
    int slot = slot(inode, mask);
    while (inodes[slot] != 0 && inodes[slot] != inode) {
      slot = slot + 1 & mask;
    }
    return slot;
  }

  synchronized void add(long inode) {
    int slot = find(inode);
    if (inodes[slot] == 0) {
      if ((used + 1) * 2 > inodes.length) {
        resize();
        slot = find(inode);
      }
      inodes[slot] = inode;
      used++;
    }
    counts[slot]++;
  }

  /** Takes {@code count} references away. Returns true when none is left. */
  synchronized boolean remove(long inode, long count) {
    int slot = find(inode);
    if (inodes[slot] == 0) {
      return true;
    }
    counts[slot] -= count;
    if (counts[slot] > 0) {
      return false;
    }
    delete(slot);
    return true;
  }

  synchronized boolean contains(long inode) {
    return inodes[find(inode)] != 0;
  }

  /** All inodes held at this moment. */
  synchronized long[] snapshot() {
    long[] held = new long[used];
    int next = 0;
    for (long inode : inodes) {
      if (inode != 0) {
        held[next++] = inode;
      }
    }
    return held;
  }

  private void delete(int freed) {
    int mask = inodes.length - 1;
    int hole = freed;
    int slot = hole;
    while (true) {
      inodes[hole] = 0;
      counts[hole] = 0;
      int home;
      do {
        slot = slot + 1 & mask;
        if (inodes[slot] == 0) {
          used--;
          return;
        }
        home = slot(inodes[slot], mask);
      } while (hole <= slot ? hole < home && home <= slot : hole < home || home <= slot);
      inodes[hole] = inodes[slot];
      counts[hole] = counts[slot];
      hole = slot;
    }
  }

  private void resize() {
    long[] oldInodes = inodes;
    long[] oldCounts = counts;
    inodes = new long[oldInodes.length * 2];
    counts = new long[inodes.length];
    for (int i = 0; i < oldInodes.length; i++) {
      if (oldInodes[i] != 0) {
        int slot = find(oldInodes[i]);
        inodes[slot] = oldInodes[i];
        counts[slot] = oldCounts[i];
      }
    }
  }
}
