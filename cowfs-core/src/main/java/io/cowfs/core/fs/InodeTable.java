package io.cowfs.core.fs;

import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.txg.TransactionalTree;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Lock;
import java.util.function.Consumer;

/**
 * The inodes in memory. An inode stays while an operation uses it, a handle has it open, or it has
 * dirty data (which counts as a use); idle ones are kept as a bounded cache. Thread-safe.
 *
 * <p>An unlinked inode that nothing holds any more, neither use nor handle nor reference of the
 * front end, is given to {@code abandoned} once.
 */
final class InodeTable {
  private static final int IDLE_MAX = 16_384;

  private final TransactionalTree tree;
  private final Consumer<Inode> abandoned;
  private final ConcurrentHashMap<Long, Inode> inodes = new ConcurrentHashMap<>();
  private final ReferenceCounts references = new ReferenceCounts();

  /** Unlinked inodes that are still held, by number: a reference may outlive the cached inode. */
  private final ConcurrentHashMap<Long, Inode> unlinked = new ConcurrentHashMap<>();

  /** How often a rollback changed a file that the front end holds; until it lets go of it. */
  private final ConcurrentHashMap<Long, Integer> generationShifts = new ConcurrentHashMap<>();

  /**
   * Files that a rollback changed and that the front end still takes for what they were. One is
   * taken out under its inode's lock.
   */
  private final Set<Long> unsettled = ConcurrentHashMap.newKeySet();

  /** Guarded by itself. */
  private final ArrayDeque<Inode> idle = new ArrayDeque<>();

  InodeTable(TransactionalTree tree, Consumer<Inode> abandoned) {
    this.tree = tree;
    this.abandoned = abandoned;
  }

  /** Takes the inode into use; it may not be loaded yet. Give it back with {@link #release}. */
  Inode use(long number) {
    return inodes.compute(
        number,
        (key, known) -> {
          Inode inode = known != null ? known : new Inode(number);
          inode.uses++;
          return inode;
        });
  }

  /** Puts a new inode into the table, in use. */
  Inode add(Inode inode) {
    inode.uses = 1;
    inode.loaded = true;
    inodes.put(inode.number, inode);
    return inode;
  }

  void release(Inode inode) {
    inodes.computeIfPresent(
        inode.number,
        (key, known) -> {
          known.uses--;
          return known.uses > 0 || known.handles > 0 ? known : becameIdle(known);
        });
    shrink();
  }

  /** Counts one more open handle on an inode in use. */
  void opened(Inode inode) {
    inodes.computeIfPresent(
        inode.number,
        (key, known) -> {
          known.handles++;
          return known;
        });
  }

  /** Counts one handle less. */
  void closed(Inode inode) {
    inodes.computeIfPresent(
        inode.number,
        (key, known) -> {
          known.handles--;
          return known.uses > 0 || known.handles > 0 ? known : becameIdle(known);
        });
    if (!references.contains(inode.number)) {
      dropShift(inode.number);
    }
    shrink();
  }

  /**
   * The front end does not hold the inode any more, and may get its plain generation again. An
   * inode that is open or in use keeps what its handles compare with; an idle one is read anew.
   */
  private void dropShift(long number) {
    if (!generationShifts.containsKey(number)) {
      return;
    }
    inodes.compute(
        number,
        (key, known) -> {
          if (known != null && (known.uses > 0 || known.handles > 0)) {
            return known;
          }
          generationShifts.remove(number);
          return known != null && known.unlinked ? known : null;
        });
  }

  /** Decides within the map's entry what becomes of an inode that nobody uses: kept, or dropped. */
  private Inode becameIdle(Inode inode) {
    if (inode.unlinked) {
      // In this order, because forget() looks at the references first and here second.
      unlinked.put(inode.number, inode);
      if (references.contains(inode.number)) {
        return inode;
      }
      unlinked.remove(inode.number);
      abandoned.accept(inode);
      return null;
    }
    if (!inode.loaded) {
      return null;
    }
    if (!inode.queuedAsIdle) {
      inode.queuedAsIdle = true;
      synchronized (idle) {
        idle.add(inode);
      }
    }
    return inode;
  }

  private void shrink() {
    while (true) {
      Inode victim;
      synchronized (idle) {
        if (idle.size() <= IDLE_MAX) {
          return;
        }
        victim = idle.poll();
      }
      inodes.computeIfPresent(
          victim.number,
          (key, known) -> {
            if (known != victim) {
              return known;
            }
            known.queuedAsIdle = false;
            return known.uses > 0 || known.handles > 0 || known.unlinked ? known : null;
          });
    }
  }

  /** An inode in use that was made without a name gets one; it must be locked. */
  void named(Inode inode) {
    inodes.computeIfPresent(
        inode.number,
        (key, known) -> {
          known.mayGetFirstName = false;
          known.unlinked = false;
          known.unlinkedTxg = 0;
          unlinked.remove(known.number);
          return known;
        });
  }

  /** The front end holds the inode once more. */
  void reference(long number) {
    references.add(number);
  }

  /** The front end holds the inode {@code count} times less. */
  void forget(long number, long count) {
    if (!references.remove(number, count)) {
      return;
    }
    dropShift(number);
    if (unlinked.containsKey(number)) {
      inodes.computeIfPresent(
          number, (key, known) -> known.uses > 0 || known.handles > 0 ? known : becameIdle(known));
    }
  }

  /**
   * Unlinked in this txg or before, and nobody can read it any more: its data need not be written.
   */
  boolean isDoomed(Inode inode, long txg) {
    boolean[] doomed = new boolean[1];
    inodes.computeIfPresent(
        inode.number,
        (key, known) -> {
          doomed[0] =
              known.unlinked
                  && known.unlinkedTxg <= txg
                  && known.handles == 0
                  && !references.contains(known.number);
          return known;
        });
    return doomed[0];
  }

  /**
   * Reads the attributes unless they are there. The inode must be in use and not locked.
   *
   * @throws FsException STALE when there is no such inode
   */
  void load(Inode inode) throws FsException {
    if (inode.loaded) {
      return;
    }
    Lock lock = inode.writeLock();
    lock.lock();
    try {
      if (inode.loaded) {
        return;
      }
      byte[] value = tree.get(Items.inode(inode.number));
      if (value == null) {
        throw new FsException(FsError.STALE);
      }
      boolean held = inode.unlinked;
      inode.decode(value);
      if (inode.nlink == 0 && !held) {
        // An orphan that waits to be freed; it was handed in already.
        inode.unlinked = false;
        throw new FsException(FsError.STALE);
      }
      inode.generationShift = generationShifts.getOrDefault(inode.number, 0);
      inode.loaded = true;
    } catch (CorruptBlockException corrupt) {
      throw new FsException(FsError.IO, corrupt);
    } catch (IOException failure) {
      throw new FsException(FsError.IO, failure);
    } finally {
      lock.unlock();
    }
  }

  /** True when the front end holds the inode; the root always. */
  boolean isReferenced(long number) {
    return number == FileSystem.ROOT_INODE || references.contains(number);
  }

  /** True when anything of the inode is in memory, here or in the front end. */
  boolean isKnown(long number) {
    return inodes.containsKey(number) || isReferenced(number);
  }

  /** All inodes of which anything is in memory. */
  Set<Long> known() {
    Set<Long> known = new HashSet<>(inodes.keySet());
    for (long number : references.snapshot()) {
      known.add(number);
    }
    known.add(FileSystem.ROOT_INODE);
    return known;
  }

  /**
   * Forgets the attributes of an inode, because the tree below was replaced. Nobody may use it, and
   * it may have no dirty data.
   */
  void invalidate(long number) {
    unlinked.remove(number);
    inodes.computeIfPresent(
        number,
        (key, known) -> {
          if (known.handles == 0 && known.uses == 0) {
            return null;
          }
          known.loaded = false;
          known.unlinked = false;
          known.mayGetFirstName = false;
          known.unlinkedTxg = 0;
          known.changedTxg = 0;
          return known;
        });
  }

  /**
   * An orphan is in the tree that a rollback brought. Where it is held, it lives on until it is
   * not; {@code abandoned} gets it then.
   *
   * @return whether it is held
   */
  boolean keepOrphan(long number) {
    boolean[] held = new boolean[1];
    inodes.compute(
        number,
        (key, known) -> {
          Inode inode = known != null ? known : new Inode(number);
          // In this order, because forget() looks at the references first and here second.
          unlinked.put(number, inode);
          held[0] = inode.handles > 0 || references.contains(number);
          if (!held[0]) {
            unlinked.remove(number);
            return known;
          }
          inode.unlinked = true;
          return inode;
        });
    return held[0];
  }

  /**
   * A rollback changed a file: changes to it come to nothing from now on, because whoever asks for
   * them takes it for what it was; until {@link #settle} or {@link #renew}. No operation may be
   * active.
   */
  void unsettle(long number) {
    unsettled.add(number);
  }

  /** The inode must be locked. */
  boolean isUnsettled(Inode inode) {
    return !unsettled.isEmpty() && unsettled.contains(inode.number);
  }

  /** The front end knows the file as it is now. The inode must not be locked. */
  void settle(long number) {
    if (!unsettled.contains(number)) {
      return;
    }
    Inode inode = use(number);
    inode.writeLock().lock();
    try {
      unsettled.remove(number);
    } finally {
      inode.writeLock().unlock();
    }
    release(inode);
  }

  /**
   * The front end cannot be brought to know an unsettled file as it is now, or has only cached it:
   * it becomes a new one to it, by its generation, and handles to the old one are stale. The inode
   * must not be locked.
   */
  void renew(long number) {
    Inode inode = use(number);
    inode.writeLock().lock();
    try {
      if (unsettled.remove(number) && isReferenced(number)) {
        inode.generationShift = generationShifts.merge(number, 1, Integer::sum);
      }
    } finally {
      inode.writeLock().unlock();
    }
    release(inode);
  }

  /**
   * The inode is to be another one to the front end, where it is held. Its attributes must be
   * {@linkplain #invalidate forgotten}.
   */
  void shiftGeneration(long number) {
    if (references.contains(number)) {
      generationShifts.merge(number, 1, Integer::sum);
    }
  }

  /** True while a handle of the inode is open. */
  boolean isOpen(long number) {
    Inode inode = inodes.get(number);
    return inode != null && inode.handles > 0;
  }
}
