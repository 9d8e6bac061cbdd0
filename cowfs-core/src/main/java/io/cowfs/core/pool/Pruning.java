package io.cowfs.core.pool;

import java.util.List;

/**
 * What the schedules of snapshots asked for.
 *
 * @param taken full names of the snapshots that were taken, or would be
 * @param destroyed full names of those that were destroyed, or would be
 */
public record Pruning(List<String> taken, List<String> destroyed) {}
