package io.cowfs.tools.command;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The verbs that work on an open pool, whoever has it open, and what must come before them. */
public enum PoolVerb {
  LIST(Flush.NOTHING, Operands.TARGET),
  STATUS(Flush.NOTHING, Operands.TARGET),
  MOUNTS(Flush.NOTHING, Operands.TARGET),
  MOUNTPOINTS(Flush.NOTHING, Operands.TARGET),
  CREATE(Flush.NOTHING, Operands.TARGET),
  CLONE(Flush.NOTHING, Operands.TWO_TARGETS),
  RENAME(Flush.NOTHING, Operands.TWO_TARGETS),
  DESTROY(Flush.NOTHING, Operands.TARGET),
  SNAPSHOT(Flush.DATASET, Operands.TARGET),
  ROLLBACK(Flush.DATASET, Operands.TARGET),
  DIFF(Flush.DATASET, Operands.TARGET_AND_WORDS),
  UNDO(Flush.DATASET, Operands.TARGET_AND_WORDS),
  HOLD(Flush.NOTHING, Operands.TARGET_AND_WORDS),
  RELEASE(Flush.NOTHING, Operands.TARGET_AND_WORDS),
  HOLDS(Flush.NOTHING, Operands.TARGET),
  GET(Flush.NOTHING, Operands.TARGET_AND_WORDS),
  SET(Flush.DATASET, Operands.TARGET_AND_WORDS),
  INHERIT(Flush.NOTHING, Operands.TARGET_AND_WORDS),
  SPACE(Flush.ALL, Operands.TARGET),
  FRAG(Flush.ALL, Operands.PARSED),
  DEFRAG(Flush.ALL, Operands.PARSED),
  CHECK(Flush.NOTHING, Operands.TARGET),
  SCRUB(Flush.NOTHING, Operands.PARSED),
  ATTACH(Flush.NOTHING, Operands.PARSED),
  DETACH(Flush.NOTHING, Operands.PARSED),
  REPLACE(Flush.NOTHING, Operands.PARSED),
  ONLINE(Flush.NOTHING, Operands.PARSED),
  OFFLINE(Flush.NOTHING, Operands.PARSED),
  PRUNE(Flush.ALL, Operands.TARGET),
  SYNC(Flush.ALL, Operands.TARGET),
  REMOUNT(Flush.NOTHING, Operands.PARSED),
  MOUNT(Flush.NOTHING, Operands.PARSED),
  UMOUNT(Flush.NOTHING, Operands.PARSED);

  /**
   * What of the kernel's dirty pages must have reached the daemon before the command. The client
   * sees to it, never the daemon: it would wait for itself.
   */
  public enum Flush {
    NOTHING,
    DATASET,
    /** The dataset and all datasets below it. */
    SUBTREE,
    ALL
  }

  /** What follows the verb beside options; decides what a client may hand over unparsed. */
  public enum Operands {
    /** The client has to parse the command line itself. */
    PARSED,
    TARGET,
    /** A target, then words that mean the same everywhere. */
    TARGET_AND_WORDS,
    /** As {@link SecondTarget} has them. */
    TWO_TARGETS
  }

  private final Flush flushFirst;
  private final Operands operands;

  PoolVerb(Flush flushFirst, Operands operands) {
    this.flushFirst = flushFirst;
    this.operands = operands;
  }

  /** The verb of this name, in small letters. */
  public static Optional<PoolVerb> find(String name) {
    for (PoolVerb verb : values()) {
      if (verb.text().equals(name)) {
        return Optional.of(verb);
      }
    }
    return Optional.empty();
  }

  /** As it is written on the command line. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * What to flush for a command line that begins with this verb.
   *
   * @param arguments the verb first
   */
  public Flush flushFirst(List<String> arguments) {
    // The options of snapshot are not parsed yet; one that turns out to be another costs time only.
    boolean withOptions = arguments.stream().anyMatch(argument -> argument.startsWith("-"));
    return this == SNAPSHOT && withOptions ? Flush.SUBTREE : flushFirst;
  }

  public Operands operands() {
    return operands;
  }
}
