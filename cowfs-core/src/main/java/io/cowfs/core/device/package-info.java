/**
 * The one data file (or block device) of a pool: positioned reads and writes, sync, and giving host
 * space back or making sure of it.
 *
 * <p>Theory of operation. The file is sparse and grows as the pool does. Where the host can, space
 * is preallocated before anybody is promised it, so that a commit never meets a full host in its
 * middle, and freed space is punched out. Both go to the C library, which is bound at the first
 * such call and not before, because binding costs more than most short commands do.
 *
 * <p>A sync that failed is never retried: the kernel marks the pages clean after an error, so a
 * second sync would report success for data that is lost. A device whose sync failed refuses every
 * later write and sync.
 *
 * <p>The front of the device ({@link io.cowfs.core.device.DeviceLayout}): two copies of the label,
 * the ring of root records, the intent log, then data. Every byte before the log is covered by a
 * checksum or must be zero.
 */
package io.cowfs.core.device;
