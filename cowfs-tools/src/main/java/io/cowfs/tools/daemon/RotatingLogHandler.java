package io.cowfs.tools.daemon;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.logging.ErrorManager;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;

/**
 * Appends to {@code NAME}; a file that has grown over a limit becomes {@code NAME.1}, that one
 * {@code NAME.2} and so on, and the oldest is deleted. Files have mode 0600. A log that cannot be
 * written is reported once by the error manager and never disturbs the work. Thread-safe.
 */
final class RotatingLogHandler extends Handler {
  private final Path file;
  private final long fileBytesMax;
  private final int filesMax;
  private OutputStream out;
  private long written;

  /** Opens the log; its directory must exist. */
  RotatingLogHandler(Path file, long fileBytesMax, int filesMax) throws IOException {
    this.file = file;
    this.fileBytesMax = fileBytesMax;
    this.filesMax = filesMax;
    setFormatter(new LineFormatter());
    open();
  }

  private void open() throws IOException {
    try {
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    } catch (FileAlreadyExistsException e) {
      // It is continued.
    }
    written = Files.size(file);
    out = new FileOutputStream(file.toFile(), true);
  }

  @Override
  public synchronized void publish(LogRecord record) {
    if (!isLoggable(record) || out == null) {
      return;
    }
    byte[] line = getFormatter().format(record).getBytes(StandardCharsets.UTF_8);
    try {
      if (written > 0 && written + line.length > fileBytesMax) {
        rotate();
      }
      out.write(line);
      written += line.length;
    } catch (IOException e) {
      reportError("cannot write " + file, e, ErrorManager.WRITE_FAILURE);
    }
  }

  private void rotate() throws IOException {
    out.close();
    try {
      for (int i = filesMax - 1; i > 0; i--) {
        Path from = i == 1 ? file : numbered(i - 1);
        if (Files.exists(from)) {
          Files.move(from, numbered(i), StandardCopyOption.REPLACE_EXISTING);
        }
      }
    } finally {
      open();
    }
  }

  private Path numbered(int i) {
    return file.resolveSibling(file.getFileName() + "." + i);
  }

  @Override
  public synchronized void flush() {
    // Each line is written through.
  }

  @Override
  public synchronized void close() {
    try {
      if (out != null) {
        out.close();
      }
    } catch (IOException e) {
      reportError("cannot close " + file, e, ErrorManager.CLOSE_FAILURE);
    } finally {
      out = null;
    }
  }

  /** Time, level and message in a line, and the stack trace of what was thrown below it. */
  private static final class LineFormatter extends SimpleFormatter {
    @Override
    public String format(LogRecord record) {
      OffsetDateTime time =
          OffsetDateTime.ofInstant(record.getInstant(), ZoneId.systemDefault())
              .truncatedTo(ChronoUnit.MILLIS);
      StringBuilder line =
          new StringBuilder()
              .append(time)
              .append(' ')
              .append(record.getLevel().getName())
              .append(' ')
              .append(formatMessage(record))
              .append('\n');
      if (record.getThrown() != null) {
        java.io.StringWriter trace = new java.io.StringWriter();
        record.getThrown().printStackTrace(new java.io.PrintWriter(trace, true));
        line.append(trace);
      }
      return line.toString();
    }
  }
}
