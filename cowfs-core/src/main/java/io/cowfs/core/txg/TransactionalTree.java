package io.cowfs.core.txg;

import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.Tree;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A tree together with its changes that are not committed yet: the open txg's overlay, the syncing
 * txg's overlay, and the committed tree, in this order of precedence.
 *
 * <p>Thread-safe. {@link #freeze} and {@link #publish} are the sync thread's. Readers that go to
 * the device hold a {@link Pin}, which keeps the space of the committed tree that they read from
 * being used again.
 */
public final class TransactionalTree {
  /** Receives items; values are shared and must not be changed. */
  @FunctionalInterface
  public interface Visitor {
    /** Returns false to end the scan. */
    boolean item(Key key, byte[] value) throws IOException;
  }

  private record View(Committed committed, Overlay syncing, Overlay open) {}

  /** A committed root and how many readers hold it. */
  private static final class Committed {
    final Tree tree;
    final long txg;
    final AtomicInteger pins = new AtomicInteger();

    Committed(Tree tree, long txg) {
      this.tree = tree;
      this.txg = txg;
    }
  }

  /** A reader's hold on the committed tree. Close it soon: it delays the reuse of freed space. */
  public static final class Pin implements AutoCloseable {
    private final Committed committed;

    private Pin(Committed committed) {
      this.committed = committed;
    }

    public Tree tree() {
      return committed.tree;
    }

    @Override
    public void close() {
      committed.pins.decrementAndGet();
    }
  }

  private volatile View view;

  /** Roots that were replaced while readers held them. Owned by the sync thread. */
  private final List<Committed> retired = new ArrayList<>();

  /**
   * @param committedTxg the newest durable txg
   * @param openTxg the txg that is open now
   */
  public TransactionalTree(Tree committed, long committedTxg, long openTxg) {
    view = new View(new Committed(committed, committedTxg), null, new Overlay(openTxg));
  }

  /** Holds the newest committed tree. */
  public Pin pin() {
    while (true) {
      Committed committed = view.committed;
      committed.pins.incrementAndGet();
      if (view.committed == committed) {
        return new Pin(committed);
      }
      committed.pins.decrementAndGet();
    }
  }

  /** The newest value, or null. Shared; must not be changed. */
  public byte[] get(Key key) throws IOException {
    View now = view;
    byte[] value = now.open.items().get(key);
    if (value == null && now.syncing != null) {
      value = now.syncing.items().get(key);
    }
    if (value != null) {
      return value == Overlay.DELETED ? null : value;
    }
    // The committed tree may be newer than the overlays looked at: it then has what they had.
    try (Pin pin = pin()) {
      return pin.tree().get(key);
    }
  }

  /**
   * Reads what the commit of changes of keys in a range will read. Every change is preceded by
   * this, before it joins: a commit that meets damage suspends the whole pool.
   *
   * <p>The commit may be that of a later tree. Where the first keys of a leaf are deleted until
   * then, their places belong to the leaf before: so that is read as well.
   *
   * @param last included
   * @throws IOException when the committed tree is damaged there
   */
  public void requireChangeable(Key from, Key last) throws IOException {
    try (Pin pin = pin()) {
      pin.tree().requireReadable(from.previous(), last);
    }
  }

  /** The same for single keys; nulls among them are passed over. */
  public void requireChangeable(Key... keys) throws IOException {
    try (Pin pin = pin()) {
      for (Key key : keys) {
        if (key != null) {
          pin.tree().requireReadable(key.previous(), key);
        }
      }
    }
  }

  /** Sets an item in the given txg, which the caller has joined. The value is kept, not copied. */
  public void put(Txg txg, Key key, byte[] value) {
    overlay(txg.number()).items().put(key, value);
    txg.addItem(value.length + Overlay.ENTRY_OVERHEAD_BYTES);
  }

  /** Deletes an item in the given txg, which the caller has joined. */
  public void delete(Txg txg, Key key) {
    overlay(txg.number()).items().put(key, Overlay.DELETED);
    txg.addItem(Overlay.ENTRY_OVERHEAD_BYTES);
  }

  /** Visits the newest items from {@code from} to {@code to}, both included, ascending. */
  public void scan(Key from, Key to, Visitor visitor) throws IOException {
    View now = view;
    now.committed.pins.incrementAndGet();
    while (view.committed != now.committed) {
      // Replaced in between: the pin may have come too late.
      now.committed.pins.decrementAndGet();
      now = view;
      now.committed.pins.incrementAndGet();
    }
    try {
      scan(now, from, to, visitor);
    } finally {
      now.committed.pins.decrementAndGet();
    }
  }

  private static void scan(View now, Key from, Key to, Visitor visitor) throws IOException {
    OverlayCursor changes = new OverlayCursor(now, from, to);
    boolean more =
        now.committed.tree.scan(
            from,
            to,
            (key, source, offset, length) -> {
              while (changes.key() != null && changes.key().compareTo(key) < 0) {
                if (!changes.emit(visitor)) {
                  return false;
                }
              }
              if (changes.key() != null && changes.key().equals(key)) {
                return changes.emit(visitor);
              }
              return visitor.item(key, Arrays.copyOfRange(source, offset, offset + length));
            });
    while (more && changes.key() != null) {
      more = changes.emit(visitor);
    }
  }

  /** Both overlays as one ascending sequence; the open one wins. */
  private static final class OverlayCursor {
    private final Iterator<Map.Entry<Key, byte[]>> openItems;
    private final Iterator<Map.Entry<Key, byte[]>> syncingItems;
    private Map.Entry<Key, byte[]> open;
    private Map.Entry<Key, byte[]> syncing;

    OverlayCursor(View view, Key from, Key to) {
      openItems = range(view.open, from, to);
      syncingItems = range(view.syncing, from, to);
      open = next(openItems);
      syncing = next(syncingItems);
    }

    private static Iterator<Map.Entry<Key, byte[]>> range(Overlay overlay, Key from, Key to) {
      NavigableMap<Key, byte[]> none = java.util.Collections.emptyNavigableMap();
      return (overlay == null ? none : overlay.items().subMap(from, true, to, true))
          .entrySet()
          .iterator();
    }

    private static Map.Entry<Key, byte[]> next(Iterator<Map.Entry<Key, byte[]>> items) {
      return items.hasNext() ? items.next() : null;
    }

    /** The next changed key, or null at the end. */
    Key key() {
      if (open == null) {
        return syncing == null ? null : syncing.getKey();
      }
      if (syncing == null || open.getKey().compareTo(syncing.getKey()) <= 0) {
        return open.getKey();
      }
      return syncing.getKey();
    }

    /** Gives the next change to the visitor, unless it is a deletion, and moves on. */
    boolean emit(Visitor visitor) throws IOException {
      int order =
          open == null ? 1 : syncing == null ? -1 : open.getKey().compareTo(syncing.getKey());
      Map.Entry<Key, byte[]> entry = order <= 0 ? open : syncing;
      if (order <= 0) {
        open = next(openItems);
      }
      if (order >= 0) {
        syncing = next(syncingItems);
      }
      return entry.getValue() == Overlay.DELETED || visitor.item(entry.getKey(), entry.getValue());
    }
  }

  private Overlay overlay(long txg) {
    View now = view;
    if (now.open.txg() == txg) {
      return now.open;
    }
    if (now.syncing != null && now.syncing.txg() == txg) {
      return now.syncing;
    }
    throw new IllegalStateException("txg " + txg + " takes no changes any more");
  }

  /** The newest txg that changed the key and is not durable yet, or 0. */
  public long uncommittedTxg(Key key) {
    View now = view;
    if (now.open.items().containsKey(key)) {
      return now.open.txg();
    }
    return now.syncing != null && now.syncing.items().containsKey(key) ? now.syncing.txg() : 0;
  }

  /**
   * Sync thread: corrects a value that the open txg has set already. Does nothing if it has not.
   */
  public void correctInOpenTxg(Key key, byte[] value) {
    view.open.items().computeIfPresent(key, (k, old) -> old == Overlay.DELETED ? old : value);
  }

  /**
   * Sync thread: from now on {@code next} is the open txg; changes of the one before are kept
   * apart.
   */
  public void freeze(long next) {
    View now = view;
    if (now.syncing != null) {
      throw new IllegalStateException("a txg is syncing already");
    }
    view = new View(now.committed, now.open, new Overlay(next));
  }

  /** Sync thread: the frozen changes. */
  public Overlay syncing() {
    return view.syncing;
  }

  /** Sync thread: the committed tree that the frozen changes are to be merged into. */
  public Tree committed() {
    return view.committed.tree;
  }

  /** Sync thread: the frozen changes are in {@code tree} now, which is durable. */
  public void publish(Tree tree, long txg) {
    View now = view;
    retired.add(now.committed);
    view = new View(new Committed(tree, txg), null, now.open);
  }

  /**
   * Sync thread: replaces the tree and forgets all changes, as a rollback does. No reader or writer
   * may be active.
   */
  public void replace(Tree tree, long txg) {
    View now = view;
    retired.add(now.committed);
    view = new View(new Committed(tree, txg), null, new Overlay(now.open.txg()));
  }

  /**
   * Sync thread: the oldest txg whose tree some reader still holds, {@link Long#MAX_VALUE} if none.
   */
  public long oldestPinnedTxg() {
    retired.removeIf(committed -> committed.pins.get() == 0);
    long oldest = Long.MAX_VALUE;
    for (Committed committed : retired) {
      oldest = Math.min(oldest, committed.txg);
    }
    return oldest;
  }
}
