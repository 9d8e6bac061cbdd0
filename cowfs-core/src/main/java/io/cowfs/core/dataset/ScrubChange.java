package io.cowfs.core.dataset;

import java.util.List;

/**
 * What a commit writes of a scrub.
 *
 * @param kept how many of the findings that are stored stay; those behind them go
 * @param added findings behind those
 */
public record ScrubChange(ScrubRecord record, int kept, List<String> added) {}
