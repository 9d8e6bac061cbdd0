package io.cowfs.fuse.memory;

import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Map;
import java.util.TreeMap;

/** The contents of a sparse file: chunks, of which missing ones are holes. Guarded by its lock. */
public final class MemoryFile {
  private static final int CHUNK_BYTES = 64 << 10;

  private final TreeMap<Long, byte[]> chunks = new TreeMap<>();
  private long size;

  public synchronized long size() {
    return size;
  }

  synchronized long allocatedBytes() {
    return (long) chunks.size() * CHUNK_BYTES;
  }

  synchronized int read(long offset, ByteBuffer destination) {
    int total = (int) Math.max(0, Math.min(destination.remaining(), size - offset));
    for (int done = 0; done < total; ) {
      long at = offset + done;
      int within = (int) (at % CHUNK_BYTES);
      int length = Math.min(total - done, CHUNK_BYTES - within);
      byte[] chunk = chunks.get(at / CHUNK_BYTES);
      destination.put(chunk != null ? chunk : new byte[CHUNK_BYTES], within, length);
      done += length;
    }
    return total;
  }

  public synchronized void write(long offset, ByteBuffer source) {
    long at = offset;
    while (source.hasRemaining()) {
      int within = (int) (at % CHUNK_BYTES);
      int length = Math.min(source.remaining(), CHUNK_BYTES - within);
      byte[] chunk = chunks.computeIfAbsent(at / CHUNK_BYTES, index -> new byte[CHUNK_BYTES]);
      source.get(chunk, within, length);
      at += length;
    }
    size = Math.max(size, at);
  }

  public synchronized void extend(long newSize) {
    size = Math.max(size, newSize);
  }

  public synchronized void truncate(long newSize) {
    if (newSize < size) {
      zero(newSize, size - newSize);
      chunks.tailMap((newSize + CHUNK_BYTES - 1) / CHUNK_BYTES, true).clear();
    }
    size = newSize;
  }

  public synchronized void zero(long offset, long length) {
    long end = Math.min(offset + length, size);
    for (long at = offset; at < end; ) {
      int within = (int) (at % CHUNK_BYTES);
      int step = (int) Math.min(end - at, CHUNK_BYTES - within);
      byte[] chunk = chunks.get(at / CHUNK_BYTES);
      if (step == CHUNK_BYTES) {
        chunks.remove(at / CHUNK_BYTES);
      } else if (chunk != null) {
        java.util.Arrays.fill(chunk, within, within + step, (byte) 0);
      }
      at += step;
    }
  }

  public synchronized MemoryFile copy() {
    MemoryFile copy = new MemoryFile();
    chunks.forEach((index, chunk) -> copy.chunks.put(index, chunk.clone()));
    copy.size = size;
    return copy;
  }

  /** Makes an empty file the same, holes included. */
  public synchronized void writeTo(FileChannel channel) throws IOException {
    for (Map.Entry<Long, byte[]> chunk : chunks.entrySet()) {
      long offset = chunk.getKey() * CHUNK_BYTES;
      int length = (int) Math.min(CHUNK_BYTES, size - offset);
      channel.write(ByteBuffer.wrap(chunk.getValue(), 0, Math.max(0, length)), offset);
    }
    if (channel.size() < size) {
      channel.write(ByteBuffer.allocate(1), size - 1);
    }
  }

  synchronized long seek(long offset, boolean data) throws FsException {
    if (offset < 0 || offset >= size) {
      throw new FsException(FsError.NO_SUCH_DEVICE_OR_OFFSET);
    }
    for (long at = offset; at < size; at = (at / CHUNK_BYTES + 1) * CHUNK_BYTES) {
      if (chunks.containsKey(at / CHUNK_BYTES) == data) {
        return at;
      }
    }
    if (data) {
      throw new FsException(FsError.NO_SUCH_DEVICE_OR_OFFSET);
    }
    return size;
  }
}
