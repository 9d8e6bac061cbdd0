package io.cowfs.tools.target;

import java.io.IOException;

/** A text that names no pool, dataset or snapshot. The message is one line fit for the user. */
public class TargetException extends IOException {
  private static final long serialVersionUID = 1L;

  public TargetException(String message) {
    super(message);
  }
}
