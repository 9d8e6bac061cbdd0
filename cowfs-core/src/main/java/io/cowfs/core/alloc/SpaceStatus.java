package io.cowfs.core.alloc;

/**
 * The space of a pool at one moment, in sectors of 4 KiB.
 *
 * @param capacity that can be allocated at all
 * @param allocated in use, pending ones included
 * @param pending freed, reusable after coming commits
 * @param reserved promised to writers and not yet allocated
 * @param free capacity - allocated
 * @param backed free ones that are known to have space on the host
 * @param reserve kept back for deletes, destroys and commits
 */
public record SpaceStatus(
    long capacity,
    long allocated,
    long pending,
    long reserved,
    long free,
    long backed,
    long reserve) {}
