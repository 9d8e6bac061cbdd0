/**
 * An exerciser of the data path, after the idea of fsx (A. Tevanian, P. Hensbergen: file system
 * exerciser): random operations on files, each with a reference in memory, and everything that is
 * read is compared. {@link io.cowfs.tools.exerciser.ExercisedFile} is one file with its operations,
 * {@link io.cowfs.tools.exerciser.ExercisedPair} chooses them for two files between which ranges
 * are copied, and {@link io.cowfs.tools.exerciser.ExerciserTest} lets several pairs run side by
 * side on one mount. Between rounds it remounts, compares snapshots, and goes back to them.
 *
 * <p>Each pair is the work of one thread, so that what a file must contain is known at any moment;
 * what runs beside it are the other pairs, commits, and snapshots. The operations of a pair follow
 * from the seed; how they meet with those of others does not.
 */
package io.cowfs.tools.exerciser;
