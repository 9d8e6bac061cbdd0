/**
 * A persistent B+tree over ordered opaque keys. Nodes are immutable: a reader holds a root and sees
 * the tree as it was when that root was made, without locks; only {@link
 * io.cowfs.core.btree.TreeUpdate}, run by the one thread that has a {@link
 * io.cowfs.core.btree.NodeWriter}, makes a new root.
 *
 * <h2>Shape</h2>
 *
 * <p>A node takes 16 KiB. A leaf (level 0) has items, an internal node of level n has pointers to
 * nodes of level n - 1, each with a key. That key is exactly the first key of the child, at every
 * level: a change of a child rewrites its parents anyway, so the exact key costs nothing, and a
 * search for the greatest key at most K never has to turn back. It also ties a child to its parent:
 * a node in the wrong place is found when it is read.
 *
 * <p>Every node except the last of each level is filled to at least a third. The last ones are free
 * of that rule so that keys that only grow leave full nodes behind them. A root that is not a leaf
 * has at least two children. Where a neighbour was damaged, a node may have less than a third, and
 * the root one child: what an update does not need must not fail it.
 *
 * <h2>Update</h2>
 *
 * <p>An update takes changes in ascending order and goes through the tree from left to right once.
 * What no change affects is passed by as a pointer; a node is taken apart only when its first real
 * change is met, so changes that change nothing rewrite nothing. The entries of nodes taken apart
 * flow into one assembly per level ({@link io.cowfs.core.btree.NodeAssembler}), which cuts them
 * into nodes. The newest node of each level is held back and not written until its right neighbour
 * is known, so a small remainder can still be joined with it and no node is written twice. Memory
 * is a few nodes per level, however many changes there are.
 *
 * <p>A few changes of a leaf do not rewrite it: they are <em>pending</em> in its parent, which is
 * written anew in any case, until they are too many, and then the leaf takes them all. This is the
 * buffer of a B-epsilon tree (Brodal and Fagerberg, Lower Bounds for External Memory Dictionaries,
 * 2003) on one level. Pending changes leave a leaf its first key and a proper size, so all said
 * above holds for leaves with what is pending for them. Two leaves are the same when their pointers
 * and what is pending are; and what a walk by birth leaves out is a leaf, but never what is pending
 * for it in a younger parent.
 *
 * <p>The tree frees nothing. Each pointer that is in the old tree and not in the new one is
 * reported once to {@link io.cowfs.core.btree.NodeWriter#leaves}.
 *
 * <h2>Comparison</h2>
 *
 * <p>{@link io.cowfs.core.btree.TreeDiff} finds the items in which two trees differ and reads only
 * the nodes that they do not share.
 *
 * <h2>Trust</h2>
 *
 * <p>A node's checksum is verified below this package. Against nodes that were made to harm, each
 * access checks what it relies on (bounds, level, first key), and {@link
 * io.cowfs.core.btree.Node#validate} checks all of a node; updates, walks and checks call it for
 * each node they read, and a cache of nodes should call it once for each node it loads.
 */
package io.cowfs.core.btree;
