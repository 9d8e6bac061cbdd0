package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import io.cowfs.tools.target.TargetException;
import io.cowfs.tools.target.UsageException;
import java.io.IOException;

/**
 * The second target of a command that has two. The client replaces it by its name within the pool
 * of the first one, which is all that a daemon can understand.
 */
public final class SecondTarget {
  private SecondTarget() {}

  /**
   * The name that a second target stands for: a new name for the snapshot that the first target
   * names, else a dataset.
   *
   * @param verb what is to be done, for the message
   * @throws TargetException when it lies in another pool, or is none
   */
  public static String nameInPool(PoolVerb verb, Target first, String text, PathLookup paths)
      throws IOException {
    boolean snapshot = verb == PoolVerb.RENAME && first.snapshot().isPresent();
    return snapshot ? snapshotName(first, text, paths) : datasetName(verb, first, text, paths);
  }

  private static String snapshotName(Target first, String text, PathLookup paths)
      throws IOException {
    int at = text.lastIndexOf('@');
    if (at <= 0 && text.indexOf('/') < 0) {
      return text.substring(at + 1);
    }
    Target second = paths.target(text);
    requireSamePool(PoolVerb.RENAME, first, second);
    if (!second.datasetOrDefault().equals(first.datasetOrDefault())) {
      throw new TargetException(
          "a snapshot stays with its dataset, " + first.datasetOrDefault() + ": name only @NEW");
    }
    return second.requireSnapshot();
  }

  private static String datasetName(PoolVerb verb, Target first, String text, PathLookup paths)
      throws IOException {
    Target second = paths.target(text);
    requireSamePool(verb, first, second);
    if (second.snapshot().isPresent()) {
      throw new UsageException(
          "the new name is that of a dataset: leave out @" + second.snapshot().get());
    }
    return second
        .dataset()
        .orElseThrow(() -> new UsageException("no new name given: write POOL/NEW"));
  }

  private static void requireSamePool(PoolVerb verb, Target first, Target second)
      throws TargetException {
    if (!second.pool().equals(first.pool())) {
      throw new TargetException(
          "cannot %s from one pool to another: %s and %s"
              .formatted(verb.text(), first.pool(), second.pool()));
    }
  }
}
