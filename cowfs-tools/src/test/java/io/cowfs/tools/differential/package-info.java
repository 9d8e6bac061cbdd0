/**
 * A differential tester: the same system calls on a directory of the host's file system (ext4) and
 * on a mount, and every result, errno, attribute and content compared.
 *
 * <p>A {@link io.cowfs.tools.differential.Sequence} of calls follows from a seed ({@link
 * io.cowfs.tools.differential.CallGenerator}). {@link io.cowfs.tools.differential.Actor}s make
 * them, in turns, so that the order is the same on both sides: threads, each with the credentials,
 * umask, working directory and table of descriptors of its own, as processes have them. A fork
 * gives a new actor the descriptors of another, with what they share. After calls, the whole tree
 * is looked at ({@link io.cowfs.tools.differential.TreeState}). A sequence that shows a difference
 * is made shorter as long as it does ({@link io.cowfs.tools.differential.Shrinking}).
 *
 * <p><b>What may differ</b>, and is not compared:
 *
 * <ul>
 *   <li>the size of a directory, {@code st_blocks} and {@code st_blksize}: the business of each
 *       file system;
 *   <li>how much a hole is rounded: instead, what is called a hole has only zeros, on each side;
 *   <li>the largest file size (ext4 ends at 16 TiB) and the room for extended attributes (ext4 has
 *       one block for all): no call goes that far;
 *   <li>alignment that O_DIRECT asks for: the kernel's FUSE client asks for none. The exerciser has
 *       O_DIRECT;
 *   <li>times, but for whether they change: they tick differently. A time that the host changed
 *       must have changed on the mount only where the calls are far enough apart; one that the host
 *       left alone must not have changed in any case. Times that utimensat sets are compared as
 *       such;
 *   <li>chown(2) to neither another owner nor another group: without the writeback cache, the
 *       kernel's request says nothing;
 *   <li>access times, but for what utimensat has just set: the kernel reads a mount's files, links
 *       and listings from its cache without the file system, and on the other hand reads a page of
 *       which a part is written.
 * </ul>
 */
package io.cowfs.tools.differential;
