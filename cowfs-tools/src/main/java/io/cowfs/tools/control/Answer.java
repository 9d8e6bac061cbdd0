package io.cowfs.tools.control;

/** The frames of an answer. */
final class Answer {
  static final int STDOUT = 1;
  static final int STDERR = 2;
  static final int EXIT = 3;
  static final int CLOSING = 4;

  /** Longest frame, in bytes. */
  static final int FRAME_MAX = 1 << 16;

  private Answer() {}
}
