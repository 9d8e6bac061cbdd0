package io.cowfs.tools.differential;

/**
 * A system call as it is made on both sides.
 *
 * @param actor who makes it, an index
 * @param text what it is, in the manner of C
 * @param body makes it and tells what came out
 */
record Call(int actor, String text, Body body) {
  /** Makes a call as an actor; what it returns must be the same on both sides. */
  interface Body {
    String run(Actor actor);
  }

  @Override
  public String toString() {
    return Actor.NAMES[actor] + ": " + text;
  }
}
