/**
 * Pools: a directory (or a block device) with everything in it, made, opened and closed. Wiring
 * only; the work is done by the packages below.
 *
 * <p>A pool directory holds {@code data} (the device file, or a link to a block device), {@code
 * index} (the LMDB environment), {@code lock} (locked by the process that has the pool open), and
 * what the daemon puts there: {@code sock} and {@code log}.
 */
package io.cowfs.core.pool;
