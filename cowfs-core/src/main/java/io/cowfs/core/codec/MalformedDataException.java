package io.cowfs.core.codec;

import java.io.IOException;

/** Compressed data cannot be decoded to its declared size: it is damaged. */
public final class MalformedDataException extends IOException {
  private static final long serialVersionUID = 1L;

  public MalformedDataException(String message) {
    super(message);
  }

  public MalformedDataException(String message, Throwable cause) {
    super(message, cause);
  }
}
