/**
 * Datasets, snapshots, and the index.
 *
 * <p><b>History.</b> The head of each dataset and all snapshots are the nodes of a tree: the parent
 * of a node is the snapshot that it continues, of whatever dataset. A snapshot is a retained root,
 * so taking one costs the same for ten files and for ten million. After a rollback or for a clone a
 * snapshot has several children; nothing newer is lost by it. A checkpoint is a snapshot that a
 * commit kept by itself ({@link io.cowfs.core.dataset.Checkpoints}).
 *
 * <p><b>Space by birth.</b> Every reference to a range of sectors carries the txg of its birth. The
 * parent of a node N has of N's references exactly those born up to the parent's txg, so when a
 * reference leaves a head one comparison tells whether anything else still has it. If so it joins
 * {@code deadlist(N)}: the references that N's parent has and N has not. From these lists it
 * follows what a snapshot's destruction frees, without counts on blocks and without a walk through
 * other trees. The rules are the methods of {@link io.cowfs.core.dataset.History}, {@link
 * io.cowfs.core.dataset.DatasetHead#leaves(long, int, long)}, {@link
 * io.cowfs.core.dataset.DatasetHead#cloned(long, int)} and {@link
 * io.cowfs.core.dataset.TxgSync#dies}; after OpenZFS' {@code dsl_deadlist.c}, with a tree in place
 * of its line of snapshots.
 *
 * <p><b>Parts.</b> A deadlist is kept in parts, by the interval between two ancestors in which its
 * references were born. No rule ever cuts a part: destroying a snapshot moves some parts to what
 * dies, and relabels the others. So it reads no reference, however many there are, and what a
 * destruction would free is a sum over parts.
 *
 * <p><b>Destroying.</b> What dies with a snapshot or a dataset is {@link
 * io.cowfs.core.dataset.Condemned} in the txg that takes its name away: lists as a whole, trees
 * from the root with the txg after which their blocks were born. {@link
 * io.cowfs.core.dataset.BackgroundFrees} works that off in bounded pieces, one in each txg, and how
 * far it came is committed with what it freed.
 *
 * <p><b>Shared ranges.</b> A cloned range is a reference of its own, with a birth of its own, and
 * dies by the same rules. Only what has several references is counted, in {@link
 * io.cowfs.core.dataset.SharedRanges}; the space is free when the last one died.
 *
 * <p><b>Index.</b> The records of all nodes, the deadlists, and the space of the pool live in one
 * LMDB environment, the {@link io.cowfs.core.dataset.Catalog}. A txg commits as one durable LMDB
 * transaction, in the order that {@link io.cowfs.core.dataset.Datasets} gives. Every record ends in
 * a checksum over its key and content; a record of the numbers of records shows a lost one. The
 * node records and properties are also kept in the {@link io.cowfs.core.dataset.DatasetDirectory},
 * a tree in the pool itself, from which the index can be made again.
 *
 * <p><b>Crash argument.</b> What a txg changes here is in memory until its LMDB transaction, which
 * is atomic; before it, nothing durable refers to what the txg wrote, and nothing that durable
 * state refers to was overwritten, for freed ranges are only reused some txgs later. A destruction
 * is one txg; each piece of freeing is one, with the cursor that it leaves.
 */
package io.cowfs.core.dataset;
