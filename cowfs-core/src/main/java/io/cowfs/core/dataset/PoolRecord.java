package io.cowfs.core.dataset;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.txg.LogPosition;
import java.util.Optional;
import java.util.UUID;

/**
 * What the index says of the pool as a whole.
 *
 * @param txg the last committed txg; 0 in a new pool
 * @param nextNode the first id that no node ever had
 * @param nextId the first id that no deadlist, list of references or destruction ever had
 * @param directoryRoot of the dataset directory; absent while it is empty
 * @param directorySectors what its nodes take
 * @param log where the intent log begins that goes beyond the txg
 */
public record PoolRecord(
    UUID pool,
    long txg,
    int nextNode,
    long nextId,
    Optional<BlockPointer> directoryRoot,
    long directorySectors,
    LogPosition log) {}
