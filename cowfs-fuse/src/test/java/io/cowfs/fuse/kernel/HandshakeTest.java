package io.cowfs.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.fuse.errno.Errno;
import io.cowfs.fuse.wire.HeaderFormat;
import io.cowfs.fuse.wire.InitFormat;
import io.cowfs.fuse.wire.Opcode;
import io.cowfs.fuse.wire.Reply;
import io.cowfs.fuse.wire.Request;
import io.cowfs.fuse.wire.TestMessages;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class HandshakeTest {
  private final Request request = new Request(0);
  private final Reply reply = new Reply(0);

  /** Answers an INIT of this version with these flags; the flags that were taken. */
  private long answer(int minor, int flags, int bytes, boolean writeback) {
    ByteBuffer init = ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
    init.putInt(InitFormat.IN_MAJOR, 7).putInt(InitFormat.IN_MINOR, minor);
    init.putInt(InitFormat.IN_MAX_READAHEAD, 128 << 10).putInt(InitFormat.IN_FLAGS, flags);
    if (bytes > InitFormat.IN_FLAGS2) {
      init.putInt(InitFormat.IN_FLAGS2, -1);
    }
    assertTrue(request.received(TestMessages.request(Opcode.INIT, 2, 0, init.array())));
    reply.begin();
    long taken = Handshake.answer(request, reply, writeback);
    assertEquals(
        HeaderFormat.OUT_SIZE + (reply.errno() == 0 ? InitFormat.OUT_SIZE : 0), reply.finish(2));
    return taken;
  }

  @Test
  void aNewerKernelGetsOnlyWhatIsKnownHere() {
    long taken = answer(99, -1, InitFormat.IN_SIZE, true);
    assertEquals(38, TestMessages.payloadInt(reply, InitFormat.OUT_MINOR));
    assertEquals((int) taken, TestMessages.payloadInt(reply, InitFormat.OUT_FLAGS));
    assertEquals(0, TestMessages.payloadInt(reply, InitFormat.OUT_FLAGS2));
    assertEquals(1 << 20, TestMessages.payloadInt(reply, InitFormat.OUT_MAX_WRITE));
    assertEquals(128 << 10, TestMessages.payloadInt(reply, InitFormat.OUT_MAX_READAHEAD));
    assertTrue((taken & InitFormat.WRITEBACK_CACHE) != 0);
    long autoInvalidate = 1L << 12;
    assertEquals(0, taken & autoInvalidate);
  }

  @Test
  void anOlderKernelGetsOnlyWhatItOffers() {
    long taken = answer(27, (int) InitFormat.BIG_WRITES, InitFormat.IN_SIZE_SHORT, true);
    assertEquals(InitFormat.BIG_WRITES, taken);
    assertEquals(27, TestMessages.payloadInt(reply, InitFormat.OUT_MINOR));
    assertEquals(128 << 10, TestMessages.payloadInt(reply, InitFormat.OUT_MAX_WRITE));
  }

  @Test
  void theWritebackCacheIsTakenOnRequestOnly() {
    long taken = answer(38, -1, InitFormat.IN_SIZE, false);
    assertEquals(0, taken & InitFormat.WRITEBACK_CACHE);
  }

  @Test
  void aKernelThatIsTooOldIsRefused() {
    answer(22, -1, InitFormat.IN_SIZE_SHORT, true);
    assertEquals(-Errno.EPROTO, TestMessages.error(reply));
  }
}
