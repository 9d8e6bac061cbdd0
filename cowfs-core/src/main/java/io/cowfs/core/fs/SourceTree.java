package io.cowfs.core.fs;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.dataset.DatasetException.Reason;
import java.util.function.BooleanSupplier;

/**
 * The tree of a snapshot or checkpoint, as something that data is taken from. The one who uses it
 * has a {@link io.cowfs.core.txg.ReadPins} hold from before it was looked up, which keeps what it
 * reads from being overwritten.
 *
 * @param root null for an empty tree
 * @param name for messages
 * @param isThere false when it was destroyed as of the last commit: then its references may be gone
 *     and nothing of it can be cloned any more. Asked by the sync thread
 */
public record SourceTree(BlockPointer root, String name, BooleanSupplier isThere) {
  /** Why nothing can be cloned of it any more; null while it can. */
  DatasetException refusal() {
    return isThere.getAsBoolean()
        ? null
        : new DatasetException(Reason.NOT_FOUND, "'%s' was destroyed meanwhile".formatted(name));
  }
}
