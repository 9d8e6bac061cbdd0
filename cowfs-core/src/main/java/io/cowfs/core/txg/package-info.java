/**
 * Transaction groups (txgs) and the one commit point.
 *
 * <p><b>States.</b> Every change joins the <i>open</i> txg. To commit it, the sync thread makes the
 * next txg the open one and waits until the members of the old one have left (<i>quiescing</i>);
 * then it writes what the txg changed (<i>syncing</i>) while later changes go on in the open one.
 * One txg syncs at a time, so there are never more than two with unsaved changes.
 *
 * <p><b>Freezing is O(1).</b> A tree's changes live in an {@link io.cowfs.core.txg.Overlay}, one
 * for each txg. Freezing puts an empty overlay on top; nothing is copied. The sync thread merges
 * the frozen overlay into the committed tree in one pass and publishes the new root.
 *
 * <p><b>Commit order</b>, held by {@link io.cowfs.core.txg.CommitSequence}: data and nodes are
 * written, the device is synced, the index transaction is committed, the root record is written to
 * the ring.
 *
 * <p><b>Crash argument.</b> Until the index transaction is durable, the roots in the index reach
 * only blocks that were on the device before this txg began: new blocks go to space that was free,
 * and space freed in txg M is not free before M, M+1 and M+2 are durable. After it is durable, the
 * new roots reach blocks which the device sync before it has made durable. There is no moment in
 * between. The ring's record of txg N is made durable by the device sync of N+1 at the latest; it
 * is the way back when the index is lost, never the truth while the index is there.
 *
 * <p><b>The intent log</b> makes durable what is not committed yet. A txg has epochs; {@link
 * io.cowfs.core.txg.GroupCommit} ends the open one, waits for its members, and appends what they
 * did to the {@link io.cowfs.core.txg.IntentLog}, after all that is neither committed nor logged.
 * Who saw a change joined in its epoch or later, because changes are made under locks that are
 * taken before joining and kept until after leaving: so the log is at each moment what everybody
 * saw at one moment. A commit says where the log begins that goes beyond it.
 *
 * <p><b>Failure.</b> When any step of a commit, or of writing the log, fails, the pool is
 * suspended: nothing is written any more, every later change and every wait for durability fails,
 * and the last committed state stays as it is. Nothing is retried, because after a failed sync the
 * host may have dropped what it could not write.
 */
package io.cowfs.core.txg;
