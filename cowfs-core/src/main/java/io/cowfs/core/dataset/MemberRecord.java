package io.cowfs.core.dataset;

import io.cowfs.core.device.MemberState;
import java.util.UUID;

/**
 * A device of a mirror, as a commit leaves it.
 *
 * @param number by which the pool directory has it, from 0
 * @param completeTxg of one that is not ONLINE: it has everything up to this txg; else 0
 */
public record MemberRecord(int number, UUID uuid, MemberState state, long completeTxg) {}
