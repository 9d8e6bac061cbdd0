package io.cowfs.fuse.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Makes requests as the kernel does, and takes replies apart. */
public final class TestMessages {
  private TestMessages() {}

  /** A message as read(2) would return it. */
  public static byte[] request(int opcode, long unique, long nodeId, byte[] body) {
    int length = HeaderFormat.IN_SIZE + body.length;
    ByteBuffer message = ByteBuffer.allocate(length).order(ByteOrder.nativeOrder());
    message.putInt(HeaderFormat.IN_LENGTH, length);
    message.putInt(HeaderFormat.IN_OPCODE, opcode);
    message.putLong(HeaderFormat.IN_UNIQUE, unique);
    message.putLong(HeaderFormat.IN_NODE_ID, nodeId);
    message.put(HeaderFormat.IN_SIZE, body);
    return message.array();
  }

  /** The error in a finished reply, as the kernel reads it. */
  public static int error(Reply reply) {
    return reply.buffer().getInt(Reply.BEGIN + HeaderFormat.OUT_ERROR);
  }

  /** A 32-bit field of a reply's payload. */
  public static int payloadInt(Reply reply, int offset) {
    return reply.buffer().getInt(Reply.BEGIN + HeaderFormat.OUT_SIZE + offset);
  }

  /** A 64-bit field of a reply's payload. */
  public static long payloadLong(Reply reply, int offset) {
    return reply.buffer().getLong(Reply.BEGIN + HeaderFormat.OUT_SIZE + offset);
  }
}
