package io.cowfs.tools.posix;

/** What not every transport can do. */
enum Feature {
  RENAME_FLAGS("`renameat2` with RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT"),
  HOLES_FOUND("SEEK_DATA, SEEK_HOLE"),
  RANGE_COPIES("`copy_file_range`"),
  UNNAMED_FILES("O_TMPFILE"),
  FILE_FLAGS("`chattr` and all other `ioctl`s"),
  BIRTH_TIMES("birth time in `statx`"),
  EMPTY_CHANGES("`chown` to neither another owner nor another group"),
  ACLS("access control lists"),
  CHANGES_OF_REMOVED_DIRECTORIES("`fchmod`, `fchown`, `futimens` of a removed directory");

  private final String row;

  Feature(String row) {
    this.row = row;
  }

  /** How the row of {@code docs/TRANSPORTS.md} begins that tells what happens without it. */
  String row() {
    return row;
  }
}
