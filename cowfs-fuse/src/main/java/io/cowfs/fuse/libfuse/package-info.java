/**
 * The other transport: libfuse 2 by way of jnr-fuse, for systems where the first does not run. Its
 * limits are listed in {@code docs/TRANSPORTS.md}.
 *
 * <p><b>What is the library's.</b> It speaks protocol 7.19, keeps a tree of names and gives each
 * callback a path. {@link io.cowfs.fuse.libfuse.Paths} turns that into an inode again; nothing
 * outside of this package knows of paths. What has a handle comes without a path.
 *
 * <p><b>What is not.</b> The mount is made by the same {@link io.cowfs.fuse.kernel.Attachment} as
 * the other transport's, and the library gets its descriptor: it installs no signal handler, starts
 * no thread, and unmounts nothing. The threads that receive requests are this package's, so the
 * virtual machine need not attach and detach one for each callback, and a callback can look at the
 * request that it belongs to ({@link io.cowfs.fuse.libfuse.CurrentRequest}).
 *
 * <p><b>What jnr-fuse is used for.</b> The layout of {@code struct stat}, {@code statvfs}, {@code
 * timespec}, {@code fuse_context} and {@code fuse_operations}, and the library's functions. Its
 * callbacks are not: their paths are Strings (of names that are no text, nothing sensible is left),
 * {@code fsyncdir} lacks an argument, bit fields are laid out as bytes and cannot be set, and an
 * exception becomes a success. {@link io.cowfs.fuse.libfuse.CallGate} makes every callback total.
 *
 * <p><b>Caches.</b> The kernel keeps neither names nor attributes, because each must be asked for
 * again after a rollback; it keeps pages only while a file is open. A file with several names has
 * pages under each of them.
 */
package io.cowfs.fuse.libfuse;
