package io.cowfs.core.dataset;

import io.cowfs.core.dataset.DatasetException.Reason;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which snapshots of a dataset a command is about: what comes after the {@code @}. One item or
 * several with commas between; each is a name, a range {@code a%c}, {@code %c} or {@code a%} with
 * both ends included, or a pattern in which {@code *} stands for any characters and {@code ?} for
 * one. Immutable.
 *
 * <p>An item that selects nothing makes the whole selection fail: a mistyped name should not go
 * unnoticed because others were right.
 */
public final class SnapshotSelection {
  /** Of the text; ample for a command line, and a bound on the work. */
  static final int MAX_LENGTH = 64 << 10;

  private final List<Item> items;

  private SnapshotSelection(List<Item> items) {
    this.items = List.copyOf(items);
  }

  /**
   * Reads a selection.
   *
   * @throws DatasetException INVALID_NAME, NAME_TOO_LONG
   */
  public static SnapshotSelection parse(String text) throws DatasetException {
    if (text.length() > MAX_LENGTH) {
      throw new DatasetException(
          Reason.NAME_TOO_LONG,
          "the list of snapshots is %d characters long; at most %d are allowed"
              .formatted(text.length(), MAX_LENGTH));
    }
    List<Item> items = new ArrayList<>();
    for (String item : text.split(",", -1)) {
      items.add(item(item));
    }
    return new SnapshotSelection(items);
  }

  private static Item item(String text) throws DatasetException {
    int percent = text.indexOf('%');
    if (percent >= 0) {
      return range(text, text.substring(0, percent), text.substring(percent + 1));
    }
    if (text.indexOf('*') >= 0 || text.indexOf('?') >= 0) {
      // What a '*' stands for may be empty, and a '?' is any one character: a pattern has the
      // form of a name once these are taken for a letter.
      Names.requireSnapshot(text.replace('*', 'x').replace('?', 'x'));
      return new Pattern(text);
    }
    Names.requireSnapshot(text);
    return new Name(text);
  }

  private static Item range(String text, String from, String to) throws DatasetException {
    if (from.isEmpty() && to.isEmpty()) {
      throw new DatasetException(
          Reason.INVALID_NAME, "the range '%' has no ends; '*' stands for all snapshots");
    }
    if (!from.isEmpty()) {
      Names.requireSnapshot(from);
    }
    if (!to.isEmpty()) {
      Names.requireSnapshot(to);
    }
    return new Range(text, from, to);
  }

  /** It is one name, which selects that snapshot only. */
  public boolean isOneName() {
    return items.size() == 1 && items.get(0) instanceof Name;
  }

  /**
   * The selected snapshots, each once.
   *
   * @param snapshots the names of all snapshots of the dataset, from old to new
   * @return from old to new; not empty
   * @throws DatasetException NOT_FOUND when an item selects nothing
   */
  public List<String> select(List<String> snapshots) throws DatasetException {
    Map<String, Integer> positions = new HashMap<>();
    for (int i = 0; i < snapshots.size(); i++) {
      positions.put(snapshots.get(i), i);
    }
    Ordered ordered = new Ordered(snapshots, positions);
    BitSet selected = new BitSet(snapshots.size());
    for (Item item : items) {
      item.select(ordered, selected);
    }
    return selected.stream().mapToObj(snapshots::get).toList();
  }

  /** The snapshots of a dataset from old to new. */
  private record Ordered(List<String> names, Map<String, Integer> positions) {
    int position(String name) throws DatasetException {
      Integer position = positions.get(name);
      if (position == null) {
        throw new DatasetException(Reason.NOT_FOUND, "there is no snapshot '%s'".formatted(name));
      }
      return position;
    }
  }

  /** One of the things with commas between. */
  private sealed interface Item permits Name, Range, Pattern {
    void select(Ordered snapshots, BitSet selected) throws DatasetException;
  }

  private record Name(String name) implements Item {
    @Override
    public void select(Ordered snapshots, BitSet selected) throws DatasetException {
      selected.set(snapshots.position(name));
    }
  }

  /** An end that is empty is the first or last snapshot there is. */
  private record Range(String text, String from, String to) implements Item {
    @Override
    public void select(Ordered snapshots, BitSet selected) throws DatasetException {
      int first = from.isEmpty() ? 0 : snapshots.position(from);
      int last = to.isEmpty() ? snapshots.names().size() - 1 : snapshots.position(to);
      if (first > last) {
        throw new DatasetException(
            Reason.NOT_FOUND,
            "the range '%s' is empty: '%s' is newer than '%s'".formatted(text, from, to));
      }
      selected.set(first, last + 1);
    }
  }

  private record Pattern(String pattern) implements Item {
    @Override
    public void select(Ordered snapshots, BitSet selected) throws DatasetException {
      boolean found = false;
      for (int i = 0; i < snapshots.names().size(); i++) {
        if (matches(snapshots.names().get(i))) {
          selected.set(i);
          found = true;
        }
      }
      if (!found) {
        throw new DatasetException(Reason.NOT_FOUND, "no snapshot matches '%s'".formatted(pattern));
      }
    }

    /**
     * Goes back to the last '*' only: what an earlier one stands for never needs to be longer. So
     * the time is bounded by the product of both lengths.
     */
    private boolean matches(String name) {
      int star = -1;
      int afterStar = 0;
      int p = 0;
      int n = 0;
      while (n < name.length()) {
        if (p < pattern.length() && pattern.charAt(p) == '*') {
          star = p++;
          afterStar = n;
        } else if (p < pattern.length()
            && (pattern.charAt(p) == '?' || pattern.charAt(p) == name.charAt(n))) {
          p++;
          n++;
        } else if (star >= 0) {
          p = star + 1;
          n = ++afterStar;
        } else {
          return false;
        }
      }
      while (p < pattern.length() && pattern.charAt(p) == '*') {
        p++;
      }
      return p == pattern.length();
    }
  }
}
