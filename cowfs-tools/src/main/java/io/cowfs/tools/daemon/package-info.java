/**
 * The process that serves a mounted pool and runs all commands on it.
 *
 * <p>Order of a start: open the pool under its lock, listen on the control socket, mount, report
 * that the mount is live. Order of an end, which begins when the last mount is gone (unmounted by
 * whatever program, or by SIGTERM or SIGINT): take no more commands, wait for those under way,
 * close the pool, which commits everything and gives the lock back, answer whoever asked for the
 * end, exit.
 *
 * <p>The daemon never touches its own mounts: a thread that waits for the file system which it
 * serves itself may wait for ever. So it runs in the root directory, logs into the pool directory,
 * and leaves looking at paths, and flushing the kernel's dirty pages, to the client.
 */
package io.cowfs.tools.daemon;
