/**
 * End-to-end tests: the real launcher, the real kernel, real programs.
 *
 * <p>A {@link io.cowfs.tools.e2e.MountedPool} is a new pool, mounted by {@code scripts/cowfs} as a
 * user would do it, and cleaned up whatever happens. What a tree holds is compared by {@link
 * io.cowfs.tools.e2e.Trees}, which sees names as bytes. The tests need {@code /dev/fuse}; those
 * that mount something else, or make device nodes, need root, and are skipped without.
 */
package io.cowfs.tools.e2e;
