package io.cowfs.core.txg;

import java.io.IOException;

/**
 * A change of the pool's structure (a snapshot, a rollback), carried out by the sync thread in a
 * txg of its own choosing after all datasets of that txg are written: a task sees each dataset
 * exactly as that txg leaves it. It validates everything before it changes anything.
 */
@FunctionalInterface
public interface SyncTask {
  /**
   * Carries the change out.
   *
   * @return what is to be done once the txg is durable, by the sync thread; may be null
   * @throws TaskRefusedException when the task is refused; the txg goes on without it. Any other
   *     exception suspends the pool
   */
  Runnable run(long txg) throws IOException, TaskRefusedException;

  /** A task was refused and has changed nothing. */
  class TaskRefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    public TaskRefusedException(String message) {
      super(message);
    }

    public TaskRefusedException(Exception cause) {
      super(cause.getMessage(), cause);
    }
  }
}
