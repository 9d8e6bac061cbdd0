package io.cowfs.core.dataset;

import io.cowfs.core.device.MemberState;
import java.util.OptionalInt;
import java.util.UUID;

/**
 * A device of a mirror, as a commit leaves it.
 *
 * @param number by which the pool directory has it, from 0
 * @param completeTxg of one that is not ONLINE: it has everything up to this txg; else 0
 * @param replaces the number of another one, which goes when this one has everything
 */
public record MemberRecord(
    int number, UUID uuid, MemberState state, long completeTxg, OptionalInt replaces) {}
