package io.cowfs.tools.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/** Says in one line why a command failed. */
public final class ErrorLine {
  /** Set to anything to have stack traces printed. */
  private static final String DEBUG = "COWFS_DEBUG";

  private ErrorLine() {}

  /** Prints {@code cowfs: } and the reason. */
  public static void print(Throwable failure, PrintWriter err) {
    err.println("cowfs: " + of(failure));
    if (System.getenv(DEBUG) != null) {
      failure.printStackTrace(err);
    }
    err.flush();
  }

  /** The reason, without control characters. */
  public static String of(Throwable failure) {
    if (failure instanceof UncheckedIOException wrapped) {
      return of(wrapped.getCause());
    }
    if (failure instanceof FileSystemException e && e.getFile() != null) {
      return oneLine(e.getFile() + ": " + reason(e));
    }
    if (failure instanceof IOException && failure.getMessage() != null) {
      return oneLine(failure.getMessage());
    }
    if (failure instanceof OutOfMemoryError) {
      return oneLine("no memory or no thread is left: " + failure.getMessage());
    }
    if (failure instanceof LinkageError && root(failure) instanceof IOException origin) {
      return oneLine(
          "cannot load its libraries, which are unpacked to %s: %s"
              .formatted(System.getProperty("java.io.tmpdir"), of(origin)));
    }
    Throwable origin = root(failure);
    return oneLine(
        "internal error: " + failure + (origin == failure ? "" : ": " + origin.getMessage()));
  }

  /** What an error came from: itself, it may say only where that struck. */
  private static Throwable root(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root;
  }

  private static String reason(FileSystemException e) {
    // These have no reason of their own: their message is the path alone.
    if (e instanceof NoSuchFileException) {
      return "no such file or directory";
    }
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof FileAlreadyExistsException) {
      return "exists already";
    }
    if (e instanceof DirectoryNotEmptyException) {
      return "not empty";
    }
    if (e instanceof NotDirectoryException) {
      return "not a directory";
    }
    return e.getReason() == null ? e.toString() : e.getReason();
  }

  static String oneLine(String text) {
    StringBuilder line = new StringBuilder(text.length());
    text.codePoints()
        .forEach(c -> line.appendCodePoint(c == '\n' ? ' ' : Character.isISOControl(c) ? '?' : c));
    return line.toString();
  }
}
