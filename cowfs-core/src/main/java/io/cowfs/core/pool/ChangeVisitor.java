package io.cowfs.core.pool;

import io.cowfs.core.fs.FileChange;
import java.io.IOException;

/** Gets what changed between two states of a dataset. */
@FunctionalInterface
public interface ChangeVisitor {
  /** Takes one change; they come in order. */
  void change(FileChange change) throws IOException;
}
