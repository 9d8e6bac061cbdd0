package io.cowfs.tools.command;

import java.util.Locale;
import java.util.Optional;

/** The verbs that work on an open pool, whoever has it open, and what must come before them. */
public enum PoolVerb {
  LIST(Flush.NOTHING),
  STATUS(Flush.NOTHING),
  MOUNTS(Flush.NOTHING),
  CREATE(Flush.NOTHING),
  DESTROY(Flush.NOTHING),
  SNAPSHOT(Flush.DATASET),
  ROLLBACK(Flush.DATASET),
  DIFF(Flush.DATASET),
  SYNC(Flush.ALL),
  MOUNT(Flush.NOTHING),
  UMOUNT(Flush.NOTHING);

  /**
   * What of the kernel's dirty pages must have reached the daemon before the command. The client
   * sees to it, never the daemon: it would wait for itself.
   */
  public enum Flush {
    NOTHING,
    DATASET,
    ALL
  }

  private final Flush flushFirst;

  PoolVerb(Flush flushFirst) {
    this.flushFirst = flushFirst;
  }

  /** The verb of this name, in small letters. */
  public static Optional<PoolVerb> find(String name) {
    for (PoolVerb verb : values()) {
      if (verb.name().toLowerCase(Locale.ROOT).equals(name)) {
        return Optional.of(verb);
      }
    }
    return Optional.empty();
  }

  public Flush flushFirst() {
    return flushFirst;
  }

  /**
   * Whether a client may leave parsing to the daemon: the command line is the verb, options without
   * values and one target.
   */
  public boolean isForwardable() {
    return this != MOUNT && this != UMOUNT;
  }
}
