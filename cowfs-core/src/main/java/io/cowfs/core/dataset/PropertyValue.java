package io.cowfs.core.dataset;

/**
 * A property as it is in force.
 *
 * @param source {@code local}, {@code inherited from DATASET}, or {@code default}
 */
public record PropertyValue(String name, String value, String source) {}
