package io.cowfs.tools.control;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.SocketException;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A connection to the daemon of a pool, good for one request. Belongs to one thread. */
public final class ControlClient implements Closeable {
  private final SocketChannel channel;
  private final Path pool;
  private long daemonPid;

  private ControlClient(SocketChannel channel, Path pool) {
    this.channel = channel;
    this.pool = pool;
  }

  /**
   * Connects to the daemon of a pool, if one is there; a socket left behind by a daemon that died
   * counts as none.
   */
  public static Optional<ControlClient> connect(Path pool) throws IOException {
    if (!Files.exists(pool.resolve(SocketPath.NAME))) {
      return Optional.empty();
    }
    try (SocketPath socket = SocketPath.of(pool)) {
      return Optional.of(new ControlClient(SocketChannel.open(socket.address()), pool));
    } catch (ConnectException e) {
      return Optional.empty();
    } catch (SocketException e) {
      if (!Files.exists(pool.resolve(SocketPath.NAME))) {
        return Optional.empty();
      }
      throw new IOException(pool.resolve(SocketPath.NAME) + ": " + e.getMessage(), e);
    }
  }

  /**
   * Has the daemon run a command.
   *
   * @return its exit code
   * @throws DaemonClosingException when the daemon is ending and did nothing
   * @throws IOException when the daemon ended before it answered in full
   */
  public int run(ControlRequest request, OutputStream out, OutputStream err) throws IOException {
    DataInputStream in =
        new DataInputStream(new BufferedInputStream(Channels.newInputStream(channel)));
    send(request);
    if (!isAnswered(in)) {
      // It hung up before it began: it is ending.
      throw new DaemonClosingException();
    }
    try {
      if (in.readInt() != ControlRequest.MAGIC
          || in.readUnsignedShort() != ControlRequest.VERSION) {
        throw new ControlException(
            pool + ": its daemon is of another version: unmount and mount again");
      }
      daemonPid = in.readLong();
      return readFrames(in, out, err);
    } catch (EOFException | SocketException e) {
      throw new IOException(pool + ": the daemon ended before it answered", e);
    }
  }

  private void send(ControlRequest request) throws IOException {
    try {
      request.writeTo(
          new DataOutputStream(new BufferedOutputStream(Channels.newOutputStream(channel))));
    } catch (ControlException e) {
      throw e;
    } catch (IOException e) {
      // The daemon hung up early (EPIPE has no class of its own); what it had to say can still be
      // read.
    }
  }

  private static boolean isAnswered(DataInputStream in) throws IOException {
    in.mark(1);
    try {
      if (in.read() < 0) {
        return false;
      }
    } catch (SocketException e) {
      return false;
    }
    in.reset();
    return true;
  }

  private int readFrames(DataInputStream in, OutputStream out, OutputStream err)
      throws IOException {
    boolean said = false;
    while (true) {
      int type = in.readUnsignedByte();
      int length = in.readInt();
      if (length < 0 || length > Answer.FRAME_MAX) {
        throw new ControlException(pool + ": the daemon's answer is malformed");
      }
      byte[] bytes = new byte[length];
      in.readFully(bytes);
      switch (type) {
        case Answer.STDOUT -> {
          out.write(bytes);
          said = true;
        }
        case Answer.STDERR -> {
          err.write(bytes);
          said = true;
        }
        case Answer.EXIT -> {
          int code = length == Integer.BYTES ? bytes[Integer.BYTES - 1] : 1;
          if (code != 0 && !said) {
            throw new IOException(
                pool + ": the daemon refused without a word, exit code " + code + ", see its log");
          }
          return code;
        }
        case Answer.CLOSING -> throw new DaemonClosingException();
        default -> throw new ControlException(pool + ": the daemon's answer is malformed");
      }
    }
  }

  /** The process id of the daemon, known once {@link #run} has returned. */
  public long daemonPid() {
    return daemonPid;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
