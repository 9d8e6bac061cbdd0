package io.cowfs.core.txg;

import io.cowfs.core.block.BlockPointer;
import java.util.UUID;

/**
 * What a txg leaves on the device besides the index: enough to find everything again without it.
 *
 * @param txg which one
 * @param poolUuid of the pool
 * @param timeMillis when it was committed, milliseconds since 1970
 * @param directoryRoot root of the tree that lists all datasets and snapshots; null when there are
 *     none
 */
public record RootRecord(long txg, UUID poolUuid, long timeMillis, BlockPointer directoryRoot) {}
