/**
 * One class per verb of {@code cowfs}. A command parses its own options and says what it does to a
 * pool, over a {@link io.cowfs.tools.command.PoolSession}; where that runs, in this process or in
 * the daemon of the pool, is the {@link io.cowfs.tools.command.CommandRunner}'s choice, and the
 * command's code is the same.
 *
 * <p>Exit codes: 0 done, 1 failed (one line on standard error that starts with {@code cowfs:}), 2
 * wrong usage.
 */
package io.cowfs.tools.command;
