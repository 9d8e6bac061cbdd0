package io.cowfs.core.fs;

import java.io.IOException;

/**
 * What the intent log has beyond the last commit cannot be made again, because the tree is damaged
 * where it belongs, or a compressed extent that it cuts. Nothing was committed: the pool can be
 * read as of its last commit, and the log stays for when the damage is mended.
 */
public final class UnreplayableLogException extends IOException {
  private static final long serialVersionUID = 1L;

  UnreplayableLogException(IOException damage) {
    super(
        "what was synced after the last commit cannot be replayed: " + damage.getMessage(), damage);
  }
}
