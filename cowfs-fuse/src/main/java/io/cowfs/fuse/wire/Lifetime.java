package io.cowfs.fuse.wire;

/** How long the kernel may keep a name or attributes that it was told. */
public enum Lifetime {
  /**
   * A day. This process is the only one that changes the file system, all changes come through the
   * kernel, and the others are announced by notifications: so it may be long.
   */
  LONG(86_400),

  /** The kernel asks again each time. */
  NONE(0);

  private final long seconds;

  Lifetime(long seconds) {
    this.seconds = seconds;
  }

  long seconds() {
    return seconds;
  }
}
