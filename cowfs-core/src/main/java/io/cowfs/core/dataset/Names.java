package io.cowfs.core.dataset;

import io.cowfs.core.dataset.DatasetException.Reason;
import java.util.function.Predicate;

/**
 * The names of datasets and snapshots. A component is {@code [A-Za-z0-9][A-Za-z0-9_.:-]*}; a
 * dataset name is one or more components separated by {@code /}, a snapshot name is one component;
 * neither is longer than {@link #MAX_LENGTH} characters.
 */
public final class Names {
  public static final int MAX_LENGTH = 255;

  /** The dataset that every pool has, from its creation on. */
  public static final String ROOT_DATASET = "root";

  /** How the names of checkpoints begin, and no others. */
  static final String CHECKPOINT_PREFIX = "checkpoint-";

  private Names() {}

  /**
   * Checks a dataset name.
   *
   * @throws DatasetException with one line that says what is wrong with it
   */
  public static void requireDataset(String name) throws DatasetException {
    requireLength("dataset", name);
    int start = 0;
    for (int slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', start)) {
      requireComponent("dataset", name, name.substring(start, slash));
      start = slash + 1;
    }
    requireComponent("dataset", name, name.substring(start));
  }

  /**
   * Checks a snapshot name, without its dataset.
   *
   * @throws DatasetException with one line that says what is wrong with it
   */
  public static void requireSnapshot(String name) throws DatasetException {
    requireComponent("snapshot", name);
  }

  /**
   * Checks a name that is one component, such as the name of a property.
   *
   * @param what it is, for the message
   * @throws DatasetException with one line that says what is wrong with it
   */
  static void requireComponent(String what, String name) throws DatasetException {
    requireLength(what, name);
    requireComponent(what, name, name);
  }

  /**
   * Checks a name that a user gives to a snapshot: one that looks like a checkpoint's would be
   * taken for something that goes by itself.
   *
   * @throws DatasetException with one line that says what is wrong with it
   */
  static void requireNewSnapshot(String name) throws DatasetException {
    requireSnapshot(name);
    if (name.startsWith(CHECKPOINT_PREFIX)) {
      throw new DatasetException(
          Reason.INVALID_NAME,
          "snapshot name '%s': names that begin with '%s' are for checkpoints"
              .formatted(name, CHECKPOINT_PREFIX));
    }
  }

  /** The first of {@code base}, {@code base-2}, {@code base-3} and so on that is not taken. */
  static String unique(String base, Predicate<String> taken) {
    String name = base;
    for (int i = 2; taken.test(name); i++) {
      name = base + "-" + i;
    }
    return name;
  }

  /** The name of the dataset that must exist for {@code name} to be created; empty at the top. */
  static String parentOf(String name) {
    int slash = name.lastIndexOf('/');
    return slash < 0 ? "" : name.substring(0, slash);
  }

  private static void requireLength(String what, String name) throws DatasetException {
    if (name.isEmpty()) {
      throw new DatasetException(Reason.INVALID_NAME, "the " + what + " name is empty");
    }
    if (name.length() > MAX_LENGTH) {
      throw new DatasetException(
          Reason.NAME_TOO_LONG,
          "the %s name is %d characters long; at most %d are allowed"
              .formatted(what, name.length(), MAX_LENGTH));
    }
  }

  private static void requireComponent(String what, String name, String component)
      throws DatasetException {
    if (component.isEmpty()) {
      throw invalid(what, name, "it has an empty component");
    }
    for (int i = 0; i < component.length(); i++) {
      char c = component.charAt(i);
      if (isAlphanumeric(c)) {
        continue;
      }
      if (c != '_' && c != '.' && c != ':' && c != '-') {
        throw invalid(what, name, "it contains " + shown(c));
      }
      if (i == 0) {
        throw invalid(what, name, "it must start with a letter or digit, not " + shown(c));
      }
    }
  }

  private static boolean isAlphanumeric(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  }

  private static DatasetException invalid(String what, String name, String why) {
    return new DatasetException(
        Reason.INVALID_NAME, "'%s' is no %s name: %s".formatted(printable(name), what, why));
  }

  /** What a message may show of a text from outside: each other character becomes a '?'. */
  static String printable(String text) {
    StringBuilder printable = new StringBuilder();
    text.chars().forEach(c -> printable.append(isPrintable((char) c) ? (char) c : '?'));
    return printable.toString();
  }

  private static String shown(char c) {
    return isPrintable(c) ? "'" + c + "'" : "the character U+%04X".formatted((int) c);
  }

  private static boolean isPrintable(char c) {
    return c >= ' ' && c < 0x7f;
  }
}
