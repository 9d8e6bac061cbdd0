/**
 * Checks of a whole pool.
 *
 * <p>{@link io.cowfs.core.scrub.SpaceAudit} proves that the books of space are right: a sector is
 * in use exactly when a dataset, a snapshot or the dataset directory reaches it, or when it was
 * freed and waits for later commits; and everything that is reached can be read and matches its
 * checksum. Deadlists need no place of their own in that sum: what is in one is reached by the
 * snapshot above.
 *
 * <p>{@link io.cowfs.core.scrub.Scrub} reads everything while the pool changes. A round covers the
 * references that were born in a range of txgs, the first one all up to the txg <i>T</i> in which
 * the scrub began. Its order:
 *
 * <ol>
 *   <li>The snapshots of <i>T</i> and before, by ascending id, which is older before younger: a
 *       parent comes before its children. Of each, what was born after the parent that it has then.
 *       A snapshot does not change, so when it is done, all that it reaches has been read; that
 *       stays so when others are destroyed, before or after, and children get other parents.
 *   <li>The datasets, by ascending id. Of the head, and of all snapshots taken after <i>T</i>, what
 *       was born after the nearest of the snapshots above that it continues: range of keys after
 *       range of keys, the same range in all of them before the next. References of <i>T</i> and
 *       before only leave a head, and a new snapshot has what its head had, at the same keys (a
 *       piece of an extent that was cut moves up, never down). So whatever lives has been read as
 *       far as the range has come, in whichever of them it is; a rollback only brings back what a
 *       snapshot has. What one of them has of its parent is read with the parent, if that is one of
 *       them: so it is read once.
 *   <li>Snapshots taken after <i>T</i> that lost their dataset meanwhile, likewise.
 * </ol>
 *
 * <p>New datasets begin as snapshots that were or will be read, and have the greatest ids. What
 * remains are cloned ranges: references that are younger than their data. If any were made since
 * the round began, the source of one may have gone before it was read; so another round covers what
 * was born since. Each is shorter than the one before, and after four it is enough.
 *
 * <p>Each piece is read under a hold that is taken before the roots are looked up, so nothing that
 * it meets is overwritten meanwhile. A finding is made only for states that have the damaged block
 * in the history as it is then. Between two pieces only a node or dataset and a key have to be
 * kept; after a crash, what followed the last ones kept is read again. A mirror would be repaired
 * where {@code ScrubWalk} hears of damage.
 *
 * <p>Findings of a scrub are lines that begin with a stable id:
 *
 * <ul>
 *   <li>{@code scrub/data}: data of a file; one line for each state and path, with the first offset
 *   <li>{@code scrub/node}: a node of a tree; what lies below it was not read
 *   <li>{@code scrub/directory}, {@code scrub/index}, {@code scrub/ring}, {@code scrub/label}: what
 *       belongs to no dataset
 * </ul>
 */
package io.cowfs.core.scrub;
