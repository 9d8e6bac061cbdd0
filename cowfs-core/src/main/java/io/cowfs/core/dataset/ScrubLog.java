package io.cowfs.core.dataset;

import java.util.List;

/**
 * What is kept of the last scrub: how far it came, and what it found.
 *
 * @param findings one line each, in the order in which they were made
 */
public record ScrubLog(ScrubRecord record, List<String> findings) {
  /** More are not kept. */
  public static final int FINDINGS_MAX = 1000;
}
