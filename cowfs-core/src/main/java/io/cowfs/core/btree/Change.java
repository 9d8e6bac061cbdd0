package io.cowfs.core.btree;

import java.util.Objects;

/** One change of a tree. Immutable, as long as nobody changes the value given to it. */
public final class Change {
  private final Key key;
  private final Key last;
  private final byte[] value;

  private Change(Key key, Key last, byte[] value) {
    this.key = key;
    this.last = last;
    this.value = value;
  }

  /**
   * The key has this value from now on.
   *
   * @param value at most {@link NodeFormat#MAX_VALUE_BYTES}; not to be changed any more
   */
  public static Change put(Key key, byte[] value) {
    if (value.length > NodeFormat.MAX_VALUE_BYTES) {
      throw new IllegalArgumentException("a value of %d bytes".formatted(value.length));
    }
    return new Change(Objects.requireNonNull(key), null, value);
  }

  /** The key is gone, if it was there. */
  public static Change delete(Key key) {
    return new Change(Objects.requireNonNull(key), null, null);
  }

  /** All keys from {@code first} to {@code last}, both included, are gone. */
  public static Change deleteRange(Key first, Key last) {
    if (first.compareTo(last) > 0) {
      throw new IllegalArgumentException("a range from %s back to %s".formatted(first, last));
    }
    return new Change(first, last, null);
  }

  /** The key, or the first one of a range. */
  Key key() {
    return key;
  }

  boolean isRange() {
    return last != null;
  }

  /** Last key of a range. */
  Key last() {
    return last;
  }

  boolean isPut() {
    return value != null;
  }

  byte[] value() {
    return value;
  }

  @Override
  public String toString() {
    if (isRange()) {
      return "deleteRange(" + key + ", " + last + ")";
    }
    return isPut() ? "put(" + key + ", " + value.length + " bytes)" : "delete(" + key + ")";
  }
}
