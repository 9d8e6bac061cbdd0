package io.cowfs.core.pool;

import io.cowfs.core.scrub.ScrubStatus;
import java.util.List;

/**
 * The state of an open pool at one moment.
 *
 * @param state {@code active}, {@code degraded}, or {@code suspended: } or {@code read-only: } and
 *     why
 * @param capacityBytes the size limit; 0 when there is none
 * @param allocatedBytes in use on the device, what is being freed included
 * @param freeingBytes freed, reusable after coming commits
 * @param destroyingBytes of what was destroyed, and is being freed in the background
 * @param txg the newest durable transaction group
 * @param dirtyBytes file data that is in memory only
 * @param scrub the last or running one
 * @param devices all of them, by number
 */
public record PoolStatus(
    String state,
    long capacityBytes,
    long allocatedBytes,
    long freeingBytes,
    long destroyingBytes,
    long txg,
    long dirtyBytes,
    ScrubStatus scrub,
    List<DeviceStatus> devices) {}
