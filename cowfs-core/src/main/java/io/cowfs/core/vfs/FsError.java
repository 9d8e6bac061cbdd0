package io.cowfs.core.vfs;

/** Why an operation was refused, in POSIX terms but without errno numbers. */
public enum FsError {
  NOT_PERMITTED("operation not permitted"),
  NOT_FOUND("no such file or directory"),
  INTERRUPTED("interrupted"),
  IO("input/output error"),
  BAD_HANDLE("bad file handle"),
  ACCESS_DENIED("permission denied"),
  BUSY("resource busy"),
  EXISTS("file exists"),
  CROSS_DEVICE("cross-device link"),
  NOT_A_DIRECTORY("not a directory"),
  IS_A_DIRECTORY("is a directory"),
  INVALID("invalid argument"),
  FILE_TOO_LARGE("file too large"),
  NO_SPACE("no space left on device"),
  READ_ONLY("read-only file system"),
  TOO_MANY_LINKS("too many links"),
  RANGE("result too large"),
  NAME_TOO_LONG("file name too long"),
  NOT_EMPTY("directory not empty"),
  NO_ATTRIBUTE("no such attribute"),
  OVERFLOW("value too large"),
  NOT_SUPPORTED("operation not supported"),
  NO_SUCH_DEVICE_OR_OFFSET("no such device or address"),
  STALE("stale file handle"),
  QUOTA_EXCEEDED("quota exceeded"),
  ARGUMENT_TOO_LONG("argument list too long");

  private final String text;

  FsError(String text) {
    this.text = text;
  }

  /** A short description for logs, in English. */
  public String text() {
    return text;
  }
}
