package io.cowfs.fuse.operations;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.fuse.errno.Errno;
import io.cowfs.fuse.memory.MemoryFileSystem;
import io.cowfs.fuse.wire.HeaderFormat;
import io.cowfs.fuse.wire.InitFormat;
import io.cowfs.fuse.wire.Opcode;
import io.cowfs.fuse.wire.Reply;
import io.cowfs.fuse.wire.Request;
import io.cowfs.fuse.wire.TestMessages;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Requests without a kernel: what it would never send, and replies that it does not take. */
class OperationTableTest {
  private static final byte[] NAME = {'f', 0};

  private final MemoryFileSystem fileSystem = new MemoryFileSystem();
  private final HandleTable handles = new HandleTable(fileSystem);
  private final Request request = new Request(0);
  private final Reply reply = new Reply(0);
  private OperationTable table;
  private Call call;

  /** A kernel that holds nothing. */
  private static final class NoCache implements KernelCache {
    @Override
    public void flush(long inode) {}

    @Override
    public void attributesChanged(long inode) {}
  }

  @BeforeEach
  void makeTable() throws Exception {
    table = new OperationTable(fileSystem, handles, new NoCache(), InitFormat.WRITEBACK_CACHE);
    call = table.newCall(request);
    byte[] name = {'f'};
    var created = fileSystem.create(Caller.ROOT, 1, name, 0644, OpenFlags.READ_ONLY);
    fileSystem.release(created.handle());
    fileSystem.forget(created.attributes().inode(), 1);
  }

  /** The length of the reply. */
  private int run(int opcode, byte... body) {
    assertTrue(request.received(TestMessages.request(opcode, 42, 1, body)));
    table.run(call, reply);
    return reply.finish(request.unique());
  }

  private static byte[] body(int bytes) {
    return new byte[bytes];
  }

  @Test
  void unknownAndUnsupportedOpcodesAreNotImplemented() {
    int flush = 25;
    for (int opcode : new int[] {0, 7, flush, 63, 64, 4096, -1, Integer.MAX_VALUE}) {
      assertEquals(HeaderFormat.OUT_SIZE, run(opcode, body(64)));
      assertEquals(-Errno.ENOSYS, TestMessages.error(reply));
    }
  }

  @Test
  void shortRequestsAreInvalid() {
    run(Opcode.WRITE, body(39));
    assertEquals(-Errno.EINVAL, TestMessages.error(reply));
    run(Opcode.LOOKUP, new byte[] {'n', 'o', ' ', 'e', 'n', 'd'});
    assertEquals(-Errno.EINVAL, TestMessages.error(reply));
  }

  @Test
  void messagesOfAnotherLengthAreRefused() {
    byte[] message = TestMessages.request(Opcode.LOOKUP, 1, 1, NAME);
    assertTrue(request.received(message));
    assertFalse(request.received(message.length - 1));
    assertFalse(request.received(HeaderFormat.IN_SIZE - 1));
  }

  @Test
  void longNamesAreTooLong() {
    byte[] name = "x".repeat(1024).concat("\0").getBytes(StandardCharsets.US_ASCII);
    run(Opcode.LOOKUP, name);
    assertEquals(-Errno.ENAMETOOLONG, TestMessages.error(reply));
  }

  @Test
  void writesBeyondTheMessageAreInvalid() throws Exception {
    run(Opcode.LOOKUP, NAME);
    long inode = TestMessages.payloadLong(reply, 0);
    long handle = handles.add(fileSystem.open(inode, OpenFlags.READ_ONLY), true);
    ByteBuffer write = ByteBuffer.allocate(48).order(ByteOrder.nativeOrder());
    write.putLong(0, handle).putInt(16, 9);
    run(Opcode.WRITE, write.array());
    assertEquals(-Errno.EINVAL, TestMessages.error(reply));
    write.putInt(16, 8);
    run(Opcode.WRITE, write.array());
    assertEquals(0, TestMessages.error(reply));
    assertArrayEquals(new byte[8], fileSystem.contents("f"));
    handles.releaseAll();
  }

  /** A file system whose root directory changes by itself and keeps states. */
  private static final class Restless extends MemoryFileSystem {
    @Override
    public boolean changesUnannounced(long directory) {
      return directory == ROOT_INODE;
    }

    @Override
    public boolean keepsAllWritten(long directory) {
      return directory == ROOT_INODE;
    }
  }

  @Test
  void whatChangesUnannouncedIsNotKept() throws Exception {
    long[] kept = lifetimes(new MemoryFileSystem());
    assertArrayEquals(new long[] {86_400, 86_400, 86_400, 8 | 2}, kept);
    long[] asked = lifetimes(new Restless());
    // The attributes of the new directory itself are not restless.
    assertArrayEquals(new long[] {0, 86_400, 0, 0}, asked);
  }

  @Test
  void thatANameIsNotThereIsKept() {
    run(Opcode.LOOKUP, new byte[] {'n', 0});
    assertEquals(0, TestMessages.error(reply));
    assertEquals(0, TestMessages.payloadLong(reply, 0), "no inode");
    assertEquals(86_400, TestMessages.payloadLong(reply, 16));
    MemoryFileSystem restless = new Restless();
    table =
        new OperationTable(
            restless, new HandleTable(restless), new NoCache(), InitFormat.WRITEBACK_CACHE);
    call = table.newCall(request);
    run(Opcode.LOOKUP, new byte[] {'n', 0});
    assertEquals(-Errno.ENOENT, TestMessages.error(reply));
  }

  /** It does not check who may open a file that it takes to be new. */
  @Test
  void aNameThatIsNotFreeAnyMoreIsLookedUpByTheKernel() {
    int exclusive = 0200;
    ByteBuffer create = ByteBuffer.allocate(18).order(ByteOrder.nativeOrder());
    create.putInt(4, 0644).put(16, NAME);
    run(Opcode.CREATE, create.array());
    assertEquals(-Errno.ESTALE, TestMessages.error(reply));
    run(Opcode.CREATE, create.putInt(0, exclusive).array());
    assertEquals(-Errno.EEXIST, TestMessages.error(reply));
    assertEquals(0, fileSystem.handlesOpen());
  }

  /** Of a name in the root, of what it leads to, of the root; and the flags of the open root. */
  private long[] lifetimes(MemoryFileSystem of) throws Exception {
    HandleTable opened = new HandleTable(of);
    table = new OperationTable(of, opened, new NoCache(), InitFormat.WRITEBACK_CACHE);
    call = table.newCall(request);
    ByteBuffer make = ByteBuffer.allocate(10).order(ByteOrder.nativeOrder());
    make.putInt(0, 0755).put(8, (byte) 'd');
    run(Opcode.MKDIR, make.array());
    long ofName = TestMessages.payloadLong(reply, 16);
    long ofAttributes = TestMessages.payloadLong(reply, 24);
    run(Opcode.LOOKUP, new byte[] {'d', 0});
    assertEquals(ofName, TestMessages.payloadLong(reply, 16));
    assertEquals(ofAttributes, TestMessages.payloadLong(reply, 24));
    run(Opcode.GETATTR, body(16));
    long ofRoot = TestMessages.payloadLong(reply, 0);
    run(Opcode.OPENDIR, body(8));
    long flags = TestMessages.payloadLong(reply, 8) & 0xffff_ffffL;
    opened.releaseAll();
    return new long[] {ofName, ofAttributes, ofRoot, flags};
  }

  @Test
  void allIsWrittenBackBeforeAStateIsKept() {
    byte[] make = ByteBuffer.allocate(10).put(8, (byte) 'd').array();
    assertTrue(request.received(TestMessages.request(Opcode.MKDIR, 42, 1, make)));
    assertEquals(FlushFirst.NOTHING, table.flushFirst(request, call));
    MemoryFileSystem restless = new Restless();
    table =
        new OperationTable(
            restless, new HandleTable(restless), new NoCache(), InitFormat.WRITEBACK_CACHE);
    assertEquals(FlushFirst.ALL, table.flushFirst(request, call));
  }

  @Test
  void forgettingIsNotAnswered() {
    run(Opcode.LOOKUP, NAME);
    assertEquals(1, fileSystem.referencesHeld());
    ByteBuffer batch = ByteBuffer.allocate(24).order(ByteOrder.nativeOrder());
    // The count is more than there is: only what the message holds is read.
    batch.putInt(0, 1000).putLong(8, TestMessages.payloadLong(reply, 0)).putLong(16, 1);
    assertEquals(0, run(Opcode.BATCH_FORGET, batch.array()));
    assertEquals(0, fileSystem.referencesHeld());
  }

  @Test
  void whatTheKernelDoesNotTakeIsTakenBack() {
    run(Opcode.LOOKUP, NAME);
    assertEquals(1, fileSystem.referencesHeld());
    table.takeBack(reply);
    assertEquals(0, fileSystem.referencesHeld());

    run(Opcode.CREATE, ByteBuffer.allocate(18).put(16, (byte) 'g').array());
    assertEquals(0, TestMessages.error(reply));
    assertEquals(1, fileSystem.handlesOpen());
    table.takeBack(reply);
    assertEquals(0, fileSystem.handlesOpen());
    assertEquals(0, fileSystem.referencesHeld());
  }

  @Test
  void directoryEntriesThatDoNotFitAreNotReferenced() {
    run(Opcode.OPENDIR, body(8));
    long handle = TestMessages.payloadLong(reply, 0);
    ByteBuffer read = ByteBuffer.allocate(40).order(ByteOrder.nativeOrder());
    // Room for "." and "..", one byte less than needed for a third entry.
    int entry = 128 + 24 + 8;
    read.putLong(0, handle).putInt(16, 3 * entry - 1);
    assertEquals(HeaderFormat.OUT_SIZE + 2 * entry, run(Opcode.READDIRPLUS, read.array()));
    assertEquals(0, fileSystem.referencesHeld());
    read.putInt(16, 3 * entry);
    assertEquals(HeaderFormat.OUT_SIZE + 3 * entry, run(Opcode.READDIRPLUS, read.array()));
    assertEquals(1, fileSystem.referencesHeld());
    assertEquals(0, TestMessages.payloadLong(reply, 0));
  }

  @Test
  void aClosedTableTouchesTheFileSystemNoMore() {
    table.close();
    run(Opcode.LOOKUP, NAME);
    assertEquals(-Errno.ENOTCONN, TestMessages.error(reply));
    assertEquals(0, fileSystem.referencesHeld());
  }
}
