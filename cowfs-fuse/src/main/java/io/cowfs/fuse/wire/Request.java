package io.cowfs.fuse.wire;

import io.cowfs.core.memory.DirectBuffers;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * One request of the kernel: a flyweight over the buffer into which a worker reads. Body offsets
 * count from the end of the header. Owned by one worker thread; valid until its next read.
 */
public final class Request {
  /**
   * Where in the buffer requests begin: such that the data of a WRITE, behind the header and {@code
   * fuse_write_in}, starts on a page boundary.
   */
  public static final int BEGIN = Reply.PAGE_BYTES - HeaderFormat.IN_SIZE - FileFormat.WRITE_BYTES;

  private static final int BODY = BEGIN + HeaderFormat.IN_SIZE;

  private final ByteBuffer buffer;
  private final ByteBuffer data;
  private int end;

  /**
   * A request with a buffer of its own, with room for any.
   *
   * @param payloadBytesMax the most data that a WRITE carries (max_write), 0 when there are none
   */
  public Request(int payloadBytesMax) {
    this(DirectBuffers.aligned(Reply.bufferBytes(payloadBytesMax)));
  }

  /**
   * A request in a buffer that belongs to it from now on.
   *
   * @param memory direct, on a page, of {@link Reply#bufferBytes}
   */
  public Request(ByteBuffer memory) {
    buffer = memory.order(ByteOrder.nativeOrder());
    data = buffer.duplicate().order(ByteOrder.nativeOrder());
  }

  /** The whole buffer; the kernel writes from {@link #BEGIN} on. */
  public ByteBuffer buffer() {
    return buffer;
  }

  /** A copy of the whole message, for a thread other than the worker. Owned by the caller. */
  public byte[] copy() {
    byte[] message = new byte[buffer.getInt(BEGIN + HeaderFormat.IN_LENGTH)];
    buffer.get(BEGIN, message);
    return message;
  }

  /** Takes a message from a {@link #copy}. */
  public boolean received(byte[] message) {
    buffer.put(BEGIN, message);
    return received(message.length);
  }

  /**
   * Takes the message that was just read.
   *
   * @param length in bytes, as returned by read(2)
   * @return false when it is no well-formed message
   */
  public boolean received(long length) {
    if (length < HeaderFormat.IN_SIZE || buffer.getInt(BEGIN + HeaderFormat.IN_LENGTH) != length) {
      return false;
    }
    // Extensions (none is negotiated) would stand at the end of the message.
    int extensionWords =
        Short.toUnsignedInt(buffer.getShort(BEGIN + HeaderFormat.IN_EXTENSION_WORDS));
    end = BEGIN + (int) length - extensionWords * Long.BYTES;
    return end >= BODY;
  }

  public int opcode() {
    return buffer.getInt(BEGIN + HeaderFormat.IN_OPCODE);
  }

  public long unique() {
    return buffer.getLong(BEGIN + HeaderFormat.IN_UNIQUE);
  }

  public long nodeId() {
    return buffer.getLong(BEGIN + HeaderFormat.IN_NODE_ID);
  }

  public int uid() {
    return buffer.getInt(BEGIN + HeaderFormat.IN_UID);
  }

  public int gid() {
    return buffer.getInt(BEGIN + HeaderFormat.IN_GID);
  }

  /** The thread that asks, in the mount's pid namespace; 0 when the kernel asks by itself. */
  public int pid() {
    return buffer.getInt(BEGIN + HeaderFormat.IN_PID);
  }

  /** Bytes after the header. */
  public int bodyBytes() {
    return end - BODY;
  }

  public int intAt(int bodyOffset) {
    return buffer.getInt(BODY + bodyOffset);
  }

  public long longAt(int bodyOffset) {
    return buffer.getLong(BODY + bodyOffset);
  }

  /** A file name that ends with NUL. NAME_TOO_LONG over 255 bytes, INVALID without its NUL. */
  public byte[] nameAt(int bodyOffset) throws FsException {
    byte[] name = stringAt(bodyOffset);
    if (name.length > FileSystem.NAME_LENGTH_MAX) {
      throw new FsException(FsError.NAME_TOO_LONG);
    }
    return name;
  }

  /** Bytes up to the next NUL, which is not part of the answer. */
  public byte[] stringAt(int bodyOffset) throws FsException {
    int from = BODY + bodyOffset;
    for (int at = from; at < end; at++) {
      if (buffer.get(at) == 0) {
        byte[] string = new byte[at - from];
        buffer.get(from, string);
        return string;
      }
    }
    throw new FsException(FsError.INVALID);
  }

  /**
   * {@code length} bytes of data from the body.
   *
   * @return a view that is valid until the worker's next request
   * @throws FsException INVALID when the message is shorter
   */
  public ByteBuffer dataAt(int bodyOffset, int length) throws FsException {
    if (length < 0 || bodyOffset + (long) length > bodyBytes()) {
      throw new FsException(FsError.INVALID);
    }
    return data.limit(BODY + bodyOffset + length).position(BODY + bodyOffset);
  }
}
