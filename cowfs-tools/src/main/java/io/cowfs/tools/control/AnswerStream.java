package io.cowfs.tools.control;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** Wraps what is printed into frames of one type. Two of them share a connection: one thread. */
final class AnswerStream extends OutputStream {
  private final DataOutputStream out;
  private final int type;
  private boolean isEmpty = true;

  AnswerStream(DataOutputStream out, int type) {
    this.out = out;
    this.type = type;
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    isEmpty = false;
    for (int done = 0; done < length; ) {
      int part = Math.min(Answer.FRAME_MAX, length - done);
      out.writeByte(type);
      out.writeInt(part);
      out.write(bytes, offset + done, part);
      done += part;
    }
  }

  /**
   * Where nothing was printed since the last time, an empty frame finds out if somebody is there.
   */
  @Override
  public void flush() throws IOException {
    if (isEmpty) {
      out.writeByte(type);
      out.writeInt(0);
    }
    isEmpty = true;
    out.flush();
  }
}
