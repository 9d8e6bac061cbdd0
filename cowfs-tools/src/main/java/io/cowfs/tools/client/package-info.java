/**
 * The client's side of a command: resolves the target, flushes the kernel's dirty pages where the
 * command needs that, and hands the command to the daemon of the pool or, where there is none,
 * opens the pool itself for a moment. Loads nothing of the file system unless it must: a command on
 * a mounted pool should cost little more than the start of the virtual machine.
 */
package io.cowfs.tools.client;
