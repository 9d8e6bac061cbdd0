/**
 * What each request of the kernel means to the file system: one class per family of operations, and
 * the table from opcodes to them.
 *
 * <p>Nothing here does input or output to the kernel. {@link
 * io.cowfs.fuse.operations.OperationTable#run} takes a request and leaves a complete reply behind,
 * whatever happens: an {@link io.cowfs.core.vfs.FsException} becomes its errno, an unknown opcode
 * ENOSYS (which the kernel remembers for most of them, and then falls back to something of its
 * own), any other throwable EIO and one line in the log.
 *
 * <p>Operations left to the kernel on purpose: FLUSH (it would be a round trip for each close),
 * ACCESS (permissions are checked by the kernel, {@code default_permissions}), locks, POLL, BMAP.
 *
 * <p>The kernel holds data that the file system has not seen: what was written through mappings,
 * and with the writeback cache whatever was written. But only of files that are open for writing:
 * it writes a file's dirty pages back before the last handle is released. {@link
 * io.cowfs.fuse.operations.HandleTable} therefore knows the inodes that may have such data, and
 * {@link io.cowfs.fuse.operations.KernelCache} is the way to have it written back. {@link
 * io.cowfs.fuse.operations.FlushFirst} tells which requests must wait for that.
 */
package io.cowfs.fuse.operations;
