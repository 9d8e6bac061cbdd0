package io.cowfs.core.pool;

import java.util.List;

/**
 * What a destruction destroyed, or would destroy.
 *
 * @param names full names, {@code DATASET} or {@code DATASET@SNAPSHOT}
 * @param freedBytes what it gives back, in the background
 */
public record Destruction(List<String> names, long freedBytes) {}
