/**
 * The inode-level interface between a front end (FUSE) and a file system, and its value types.
 *
 * <p>Names are bytes, times are nanoseconds, inodes are numbers. Nothing here knows of FUSE, of
 * errno numbers, or of how the file system stores anything. A front end calls; a {@link
 * io.cowfs.core.vfs.FileSystem} answers or throws an {@link io.cowfs.core.vfs.FsException}.
 */
package io.cowfs.core.vfs;
