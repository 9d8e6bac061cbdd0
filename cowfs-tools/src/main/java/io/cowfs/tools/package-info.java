/**
 * The command {@code cowfs}.
 *
 * <p>{@link io.cowfs.tools.Main} runs a command line in one of two surroundings: as a client, which
 * resolves the target and either hands the command to the daemon of the pool or opens the pool
 * itself; and as the daemon of a mounted pool, which runs the same command classes on the pool that
 * it has open.
 */
package io.cowfs.tools;
