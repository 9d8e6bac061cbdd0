package io.cowfs.core.device;

import com.sun.nio.file.ExtendedOpenOption;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Deque;
import java.util.Locale;
import java.util.concurrent.ConcurrentLinkedDeque;

/**
 * A device in a regular file, sparse and growing, or on a block device. Thread-safe: reads and
 * writes run at the same time.
 *
 * <p>Threads that do I/O here must not be interrupted: the channel would close for everyone.
 */
public final class FileDevice implements BlockDevice {
  /** The capacity of a device without a limit: 16 TiB less a bit, the most that ext4 can hold. */
  public static final long UNLIMITED_BYTES = (1L << 44) - (1L << 27);

  private static final int DIRECT_BYTES_MIN = 256 << 10;

  /** More threads seldom write at once. */
  private static final int GATHERING_CHANNELS = 2;

  private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(1 << 16).asReadOnlyBuffer();

  private final Path file;
  private final FileChannel channel;
  private final long capacityBytes;
  private final boolean blockDevice;
  private final Object hostSpaceLock = new Object();

  /** Owned by hostSpaceLock; null until first needed. */
  private HostSpace hostSpace;

  private boolean closed;

  /** Found at the first use. */
  private volatile FileStore fileStore;

  /** For large aligned I/O past the host's cache; null where the host has no such thing. */
  private final FileChannel directChannel;

  /** The same for gathering writes, which have no offset: each for one thread at a time. */
  private final Deque<FileChannel> gatheringChannels = new ConcurrentLinkedDeque<>();

  private volatile IOException syncFailure;

  /** Each write to it is durable when it returns. Made at the first use; guarded by its lock. */
  private FileChannel durableChannel;

  private final Object durableLock = new Object();

  private FileDevice(
      Path file,
      FileChannel channel,
      FileChannel directChannel,
      long capacityBytes,
      boolean blockDevice) {
    this.file = file;
    this.channel = channel;
    this.directChannel = directChannel;
    this.capacityBytes = capacityBytes;
    this.blockDevice = blockDevice;
  }

  /**
   * Opens an existing file or block device.
   *
   * @param capacityBytes size limit; 0 means without limit, or the size of the block device
   */
  public static FileDevice open(Path file, long capacityBytes) throws IOException {
    return open(file, capacityBytes, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  /**
   * Creates an empty file, which must not exist yet; not durable before its directory is synced.
   */
  public static FileDevice create(Path file, long capacityBytes) throws IOException {
    return open(
        file,
        capacityBytes,
        StandardOpenOption.READ,
        StandardOpenOption.WRITE,
        StandardOpenOption.CREATE_NEW);
  }

  private static FileDevice open(Path file, long capacityBytes, StandardOpenOption... options)
      throws IOException {
    FileChannel channel = FileChannel.open(file, options);
    try {
      boolean blockDevice = !Files.isRegularFile(file);
      long limit = capacityBytes == 0 ? UNLIMITED_BYTES : Math.min(capacityBytes, UNLIMITED_BYTES);
      if (blockDevice) {
        limit = Math.min(limit, channel.size());
      }
      FileDevice device = new FileDevice(file, channel, openDirect(file), limit, blockDevice);
      device.openGathering();
      return device;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** At once: later there may be no descriptor left, or another file at this path. */
  private void openGathering() throws IOException {
    try {
      for (int i = 0; directChannel != null && i < GATHERING_CHANNELS; i++) {
        gatheringChannels.push(
            FileChannel.open(file, StandardOpenOption.WRITE, ExtendedOpenOption.DIRECT));
      }
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  /** Null where the host has no such thing, or wants more than whole sectors for it. */
  private static FileChannel openDirect(Path file) throws IOException {
    if (Files.getFileStore(file).getBlockSize() > DeviceLayout.SECTOR_BYTES) {
      return null;
    }
    try {
      return FileChannel.open(
          file, StandardOpenOption.READ, StandardOpenOption.WRITE, ExtendedOpenOption.DIRECT);
    } catch (IOException | UnsupportedOperationException notHere) {
      return null;
    }
  }

  /**
   * Large writes go to the host's device at once, so that a sync has little left to wait for. As
   * with large reads, what the kernel above caches already is not cached twice.
   */
  private FileChannel channelFor(ByteBuffer source, long offset) {
    return source.remaining() >= DIRECT_BYTES_MIN && mayGoDirect(source, offset)
        ? directChannel
        : channel;
  }

  private boolean mayGoDirect(ByteBuffer buffer, long offset) {
    return directChannel != null
        && buffer.isDirect()
        && (offset | buffer.remaining()) % DeviceLayout.SECTOR_BYTES == 0
        && buffer.alignmentOffset(buffer.position(), DeviceLayout.SECTOR_BYTES) == 0;
  }

  @Override
  public void read(ByteBuffer destination, long offset) throws IOException {
    read(destination, offset, false);
  }

  @Override
  public void readMedium(ByteBuffer destination, long offset) throws IOException {
    read(destination, offset, true);
  }

  private void read(ByteBuffer destination, long offset, boolean pastCache) throws IOException {
    long position = offset;
    while (destination.hasRemaining()) {
      // What is left after a short read at the end of the file may have no whole sectors any more.
      boolean large = destination.remaining() >= DIRECT_BYTES_MIN;
      FileChannel from =
          (pastCache || large) && mayGoDirect(destination, position) ? directChannel : channel;
      int count = from.read(destination, position);
      if (count < 0) {
        fillWithZeros(destination);
        return;
      }
      position += count;
    }
  }

  private static void fillWithZeros(ByteBuffer destination) {
    while (destination.hasRemaining()) {
      int count = Math.min(destination.remaining(), ZEROS.capacity());
      destination.put(ZEROS.slice(0, count));
    }
  }

  @Override
  public void write(ByteBuffer source, long offset) throws IOException {
    checkRange(offset, source.remaining());
    checkUsable();
    try {
      long position = offset;
      while (source.hasRemaining()) {
        position += channelFor(source, position).write(source, position);
      }
    } catch (IOException e) {
      throw writeFailure(e);
    }
  }

  @Override
  public void write(ByteBuffer[] sources, long offset) throws IOException {
    long remaining = 0;
    for (ByteBuffer source : sources) {
      remaining += source.remaining();
    }
    checkRange(offset, remaining);
    checkUsable();
    try {
      long position = offset;
      if (remaining >= DIRECT_BYTES_MIN && mayGoDirect(sources, offset)) {
        position += gather(sources, offset);
      }
      // What is left after a short write may have no whole sectors any more.
      for (ByteBuffer source : sources) {
        while (source.hasRemaining()) {
          position += channel.write(source, position);
        }
      }
    } catch (IOException e) {
      throw writeFailure(e);
    }
  }

  private boolean mayGoDirect(ByteBuffer[] buffers, long offset) {
    for (ByteBuffer buffer : buffers) {
      if (!mayGoDirect(buffer, offset)) {
        return false;
      }
    }
    return true;
  }

  /** Writes past the host's cache; returns how much. */
  private long gather(ByteBuffer[] sources, long offset) throws IOException {
    FileChannel gathering = gatheringChannels.poll();
    if (gathering == null) {
      return writeEach(sources, offset);
    }
    try {
      return gathering.position(offset).write(sources);
    } finally {
      gatheringChannels.push(gathering);
    }
  }

  /** The same while others have the channels for it. */
  private long writeEach(ByteBuffer[] sources, long offset) throws IOException {
    long position = offset;
    for (ByteBuffer source : sources) {
      position += directChannel.write(source, position);
      if (source.hasRemaining()) {
        break;
      }
    }
    return position - offset;
  }

  @Override
  public void writeDurably(ByteBuffer source, long offset) throws IOException {
    checkRange(offset, source.remaining());
    checkUsable();
    FileChannel to = durableChannel();
    try {
      long position = offset;
      while (source.hasRemaining()) {
        position += to.write(source, position);
      }
    } catch (IOException e) {
      IOException failure = writeFailure(e);
      if (!(failure instanceof HostFullException)) {
        syncFailure = e;
      }
      throw failure;
    }
  }

  private FileChannel durableChannel() throws IOException {
    synchronized (durableLock) {
      if (durableChannel == null) {
        durableChannel =
            directChannel == null
                ? FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.DSYNC)
                : FileChannel.open(
                    file,
                    StandardOpenOption.WRITE,
                    StandardOpenOption.DSYNC,
                    ExtendedOpenOption.DIRECT);
      }
      return durableChannel;
    }
  }

  @Override
  public synchronized void sync() throws IOException {
    checkUsable();
    try {
      channel.force(false);
    } catch (IOException e) {
      syncFailure = e;
      throw writeFailure(e);
    }
  }

  private void checkUsable() throws IOException {
    IOException failure = syncFailure;
    if (failure != null) {
      throw new IOException(file + ": an earlier sync failed: " + failure.getMessage(), failure);
    }
  }

  private void checkRange(long offset, long length) throws IOException {
    if (offset < 0 || length > capacityBytes - offset) {
      throw new IOException(file + ": write at " + offset + " is beyond the size of the device");
    }
  }

  /** The JDK has no type for a full file system, only the C library's text, maybe translated. */
  private IOException writeFailure(IOException e) {
    String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    boolean full = message.contains("no space left") || message.contains("quota exceeded");
    if (full || hostFreeBytes() < DeviceLayout.SECTOR_BYTES) {
      return new HostFullException(file + ": no space left on the host file system", e);
    }
    return new IOException(file + ": " + e.getMessage(), e);
  }

  @Override
  public void punch(long offset, long length) throws IOException {
    hostSpace().punch(offset, length);
  }

  @Override
  public void preallocate(long offset, long length) throws IOException {
    checkRange(offset, length);
    if (!blockDevice) {
      hostSpace().allocate(offset, length);
    }
  }

  private HostSpace hostSpace() throws IOException {
    synchronized (hostSpaceLock) {
      if (closed) {
        throw new IOException(file + ": closed");
      }
      if (hostSpace == null) {
        hostSpace = new HostSpace(file);
      }
      return hostSpace;
    }
  }

  @Override
  public long capacity() {
    return capacityBytes;
  }

  @Override
  public long usedExtent() throws IOException {
    return Math.min(channel.size(), capacityBytes);
  }

  @Override
  public long hostFreeBytes() {
    if (blockDevice) {
      return Long.MAX_VALUE;
    }
    try {
      FileStore store = fileStore;
      if (store == null) {
        store = Files.getFileStore(file); // reads the list of mounts
        fileStore = store;
      }
      return store.getUsableSpace();
    } catch (IOException e) {
      return Long.MAX_VALUE;
    }
  }

  @Override
  public String name() {
    return file.toString();
  }

  @Override
  public void close() throws IOException {
    synchronized (hostSpaceLock) {
      closed = true;
      if (hostSpace != null) {
        hostSpace.close();
        hostSpace = null;
      }
    }
    synchronized (durableLock) {
      if (durableChannel != null) {
        durableChannel.close();
      }
    }
    for (FileChannel gathering : gatheringChannels) {
      gathering.close();
    }
    if (directChannel != null) {
      directChannel.close();
    }
    channel.close();
  }
}
