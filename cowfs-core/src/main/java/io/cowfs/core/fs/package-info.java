/**
 * POSIX semantics over the tree of one dataset.
 *
 * <p><b>Items.</b> Everything is an item of the dataset's one tree, under keys (inode, kind,
 * offset): see {@link io.cowfs.core.fs.Items}. Item changes go to the open txg's overlay at once.
 * File data waits in memory ({@link io.cowfs.core.fs.DirtyFile}) and becomes extents only when its
 * txg is synced, so that many small writes become few large extents. The sync thread alone makes,
 * cuts and frees extents ({@link io.cowfs.core.fs.FileFlush}).
 *
 * <p><b>The shape of a change</b> ({@link io.cowfs.core.fs.Mutation}): wait until there is room,
 * validate, lock inodes in the order of their numbers, join the txg, change, leave the txg, unlock,
 * wait for durability where that was asked. Nothing waits to join a txg, or for a commit, while it
 * holds locks. The order matters: whoever locks an inode later joins the same or a later txg, so
 * each txg is an atomic prefix of what was visible.
 *
 * <p><b>Reading</b> looks at the open txg's dirty data, then at the syncing txg's, then at the
 * committed tree. Dirty data of a txg is dropped only after its root was published, so what a
 * reader finds missing in memory is in the tree.
 *
 * <p><b>Orphans.</b> An inode without links has an orphan item in the same txg that removed its
 * last name. When no handle and no lookup holds it any more, the sync thread frees it in slices;
 * after a crash the orphan items tell what was left.
 *
 * <p><b>Comparison</b> ({@link io.cowfs.core.fs.TreeComparison}): the items in which two committed
 * trees differ, inode by inode; the back references of each tree say under which paths.
 *
 * <p><b>Browsing.</b> {@link io.cowfs.core.fs.BrowsableFileSystem} puts the dataset's snapshots
 * below {@code .cowfs} of a volume: directories that are nowhere stored ({@link
 * io.cowfs.core.fs.SnapshotDirectories}), and below them trees ({@link
 * io.cowfs.core.fs.SnapshotTrees}) that the same classes read as a live one.
 */
package io.cowfs.core.fs;
