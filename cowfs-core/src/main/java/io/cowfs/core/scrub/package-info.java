/**
 * Checks of a whole pool.
 *
 * <p>{@link io.cowfs.core.scrub.SpaceAudit} proves that the books of space are right: a sector is
 * in use exactly when a dataset, a snapshot or the dataset directory reaches it, or when it was
 * freed and waits for later commits; and everything that is reached can be read and matches its
 * checksum. Deadlists need no place of their own in that sum: what is in one is reached by the
 * snapshot above.
 */
package io.cowfs.core.scrub;
