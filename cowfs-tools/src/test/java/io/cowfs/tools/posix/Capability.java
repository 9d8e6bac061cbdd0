package io.cowfs.tools.posix;

/** A value of the attribute security.capability. */
final class Capability {
  /** Revision 2, effective, with one permitted capability. */
  static final byte[] VALUE = {1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

  private Capability() {}
}
