package io.cowfs.tools.command;

/** Text that can be pasted into a shell. */
final class ShellText {
  private ShellText() {}

  /** One word of a command line of the POSIX shell, quoted where it has to be. */
  static String word(String text) {
    if (text.matches("[A-Za-z0-9_./@:,+=-]+")) {
      return text;
    }
    return "'" + text.replace("'", "'\\''") + "'";
  }
}
