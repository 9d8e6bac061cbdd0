package io.cowfs.tools.daemon;

import java.util.logging.LogManager;

/**
 * Keeps the log open while the process shuts down. The standard one closes it in a shutdown hook of
 * its own, beside ours that unmounts and commits, and what that has to say would be lost.
 */
public final class ShutdownSafeLogManager extends LogManager {
  @Override
  public void reset() {
    // Nothing: the process is about to end, and the handler writes through.
  }
}
