/**
 * Which sectors of the device are free, used, or freed but not yet reusable.
 *
 * <p>Theory of operation. The device is divided into regions of 32,768 sectors; a region has a
 * bitmap of <em>allocated</em> sectors, which is persisted, and one of <em>available</em> sectors,
 * which lives in memory only: free and known to have space on the host. Allocation takes from the
 * available sectors alone. What is neither allocated nor available is free but of unknown backing;
 * growth preallocates a piece of it and makes it available, the puncher does the reverse. So the
 * host cannot run full under a reservation.
 *
 * <p>Crash argument. A sector freed in txg M stays allocated, on a list of its own, until txgs M,
 * M+1 and M+2 are durable and no reader pins a view older than M. Until then it is neither
 * overwritten nor punched; the two newest older roots stay whole.
 *
 * <p>Nodes and data keep apart: nodes live in chunks of 2 MiB of their own as long as there is
 * space, so that the small allocations of nodes do not cut up the long runs that files want, and so
 * that the reserve for deleting in a full pool is one in which nodes find room. The reserve is left
 * behind by tiers: ordinary writes leave all of it, deletes half, destroying snapshots a quarter,
 * the commit nothing.
 */
package io.cowfs.core.alloc;
