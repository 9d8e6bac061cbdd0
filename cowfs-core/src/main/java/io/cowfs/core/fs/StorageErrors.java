package io.cowfs.core.fs;

import io.cowfs.core.alloc.OutOfSpaceException;
import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.txg.PoolSuspendedException;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.function.Supplier;

/** Turns errors of the storage, and refusals of the pool, into those of the interface. */
final class StorageErrors {
  private static final Logger LOG = System.getLogger(StorageErrors.class.getName());

  private StorageErrors() {}

  /**
   * Runs an operation; storage errors become IO, or NO_SPACE, or READ_ONLY.
   *
   * @param where what was worked on, for the log; asked only when there is something to log
   */
  static <T> T call(Supplier<String> where, Mutation.Body<T> body) throws FsException {
    try {
      return body.run();
    } catch (OutOfSpaceException full) {
      throw new FsException(FsError.NO_SPACE, full);
    } catch (PoolSuspendedException suspended) {
      throw new FsException(FsError.READ_ONLY, suspended);
    } catch (DatasetException refused) {
      throw new FsException(of(refused.reason()), refused);
    } catch (IOException failure) {
      LOG.log(Level.ERROR, () -> where.get() + ": " + failure.getMessage(), failure);
      throw new FsException(FsError.IO, failure);
    }
  }

  private static FsError of(DatasetException.Reason reason) {
    return switch (reason) {
      case NOT_FOUND -> FsError.NOT_FOUND;
      case EXISTS -> FsError.EXISTS;
      case INVALID_NAME, INVALID_VALUE -> FsError.INVALID;
      case NAME_TOO_LONG -> FsError.NAME_TOO_LONG;
      case BUSY -> FsError.BUSY;
    };
  }
}
