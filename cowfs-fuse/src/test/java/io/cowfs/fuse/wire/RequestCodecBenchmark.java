package io.cowfs.fuse.wire;

import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.Timestamp;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** The time to take a request apart and to put its reply together, without what lies between. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(2)
public class RequestCodecBenchmark {
  private static final int DATA_BYTES = 128 << 10;
  private static final int LISTED_BYTES = 4096;

  private final Request lookup = new Request(0);
  private final Request write = new Request(DATA_BYTES);
  private final Reply reply = new Reply(DATA_BYTES);
  private final byte[] name = "a-file-of-usual-length.txt".getBytes(StandardCharsets.US_ASCII);
  private long lookupBytes;
  private long writeBytes;
  private Attributes attributes;

  @Setup
  public void fill() {
    byte[] lookupMessage =
        TestMessages.request(Opcode.LOOKUP, 1, 2, Arrays.copyOf(name, name.length + 1));
    lookupBytes = lookupMessage.length;
    lookup.received(lookupMessage);
    ByteBuffer body = ByteBuffer.allocate(FileFormat.WRITE_BYTES + DATA_BYTES);
    body.order(ByteOrder.nativeOrder()).putInt(FileFormat.WRITE_SIZE, DATA_BYTES);
    byte[] writeMessage = TestMessages.request(Opcode.WRITE, 1, 2, body.array());
    writeBytes = writeMessage.length;
    write.received(writeMessage);
    Timestamp now = new Timestamp(1_700_000_000, 1);
    int mode = FileType.REGULAR.format() | 0644;
    attributes = new Attributes(3, 1, mode, 1, 0, 0, 0, 4096, 4096, now, now, now, now);
  }

  private static void verify(boolean wellFormed) {
    if (!wellFormed) {
      throw new IllegalStateException("not taken for a message");
    }
  }

  /** LOOKUP with a reply of an entry. */
  @Benchmark
  public int lookup() throws FsException {
    verify(lookup.received(lookupBytes));
    int hash = lookup.opcode() + (int) lookup.nodeId() + lookup.nameAt(0).length;
    reply.begin();
    reply.entry(attributes, Lifetime.LONG, Lifetime.LONG);
    return hash + reply.finish(lookup.unique());
  }

  /** WRITE of 128 KiB, whose data stay where they are, with its reply. */
  @Benchmark
  public int write() throws FsException {
    verify(write.received(writeBytes));
    int size = write.intAt(FileFormat.WRITE_SIZE);
    ByteBuffer data = write.dataAt(FileFormat.WRITE_BYTES, size);
    reply.begin();
    reply.putInt(reply.append(Long.BYTES), data.remaining());
    return (int) write.longAt(FileFormat.WRITE_OFFSET) + reply.finish(write.unique());
  }

  /** The reply of READDIRPLUS: a page of entries with their attributes. */
  @Benchmark
  public int listPage() {
    reply.begin();
    long cookie = 0;
    int at = reply.directoryEntryPlus(LISTED_BYTES, name, 3, FileType.REGULAR, ++cookie);
    while (at >= 0) {
      reply.completePlus(at, attributes, Lifetime.LONG, Lifetime.LONG);
      at = reply.directoryEntryPlus(LISTED_BYTES, name, 3, FileType.REGULAR, ++cookie);
    }
    return reply.finish(1);
  }
}
