package io.cowfs.fuse.wire;

import io.cowfs.core.memory.DirectBuffers;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.FileSystemStatus;
import io.cowfs.core.vfs.FileType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The reply to one request: a flyweight over a worker's reply buffer, used again for each request.
 * It also remembers which references and which handle the reply gives to the kernel, so that they
 * can be taken back when the kernel does not take the reply.
 */
public final class Reply {
  static final int PAGE_BYTES = 4096;

  /** Where the payload begins in the buffer: on a page. */
  private static final int PAYLOAD = PAGE_BYTES;

  /** Where the message begins in the buffer. */
  public static final int BEGIN = PAYLOAD - HeaderFormat.OUT_SIZE;

  private static final byte[] ZEROS = new byte[256];

  private final ByteBuffer buffer;
  private final ByteBuffer data;
  private int payloadBytes;
  private int error;
  private boolean wanted;

  private long[] referenced = new long[16];
  private int referencedCount;
  private long openedHandle;

  /**
   * A reply with a buffer of its own, with room for any structure.
   *
   * @param payloadBytesMax the most data that a READ asks for, 0 when there are none
   */
  public Reply(int payloadBytesMax) {
    this(DirectBuffers.aligned(bufferBytes(payloadBytesMax)));
  }

  /**
   * A reply in a buffer that belongs to it from now on.
   *
   * @param memory direct, on a page, of {@link #bufferBytes}
   */
  public Reply(ByteBuffer memory) {
    buffer = memory.order(ByteOrder.nativeOrder());
    data = buffer.duplicate().order(ByteOrder.nativeOrder());
  }

  /** The bytes of a buffer for so much payload. */
  public static int bufferBytes(int payloadBytesMax) {
    return PAGE_BYTES + Math.max(PAGE_BYTES, payloadBytesMax);
  }

  /** The whole buffer; the message begins at {@link #BEGIN}. */
  public ByteBuffer buffer() {
    return buffer;
  }

  /** Starts the reply to the next request: success without payload. */
  public void begin() {
    payloadBytes = 0;
    error = 0;
    wanted = true;
    referencedCount = 0;
    openedHandle = 0;
  }

  /** Completes the header. Returns the bytes to write, 0 when no reply is to be sent. */
  public int finish(long unique) {
    if (!wanted) {
      return 0;
    }
    int length = HeaderFormat.OUT_SIZE + payloadBytes;
    buffer.putInt(BEGIN + HeaderFormat.OUT_LENGTH, length);
    buffer.putInt(BEGIN + HeaderFormat.OUT_ERROR, -error);
    buffer.putLong(BEGIN + HeaderFormat.OUT_UNIQUE, unique);
    return length;
  }

  /** Completes the header of a message that answers no request. Returns the bytes to write. */
  public int finishNotification(int code) {
    int length = finish(0);
    buffer.putInt(BEGIN + HeaderFormat.OUT_ERROR, code);
    return length;
  }

  /** The request is one to which the kernel expects no reply. */
  public void none() {
    wanted = false;
  }

  /** Answers with an error and nothing else; nothing is given any more. */
  public void error(int errno) {
    payloadBytes = 0;
    referencedCount = 0;
    openedHandle = 0;
    error = errno;
  }

  /** The errno of the answer, 0 for success. */
  public int errno() {
    return error;
  }

  /** Appends {@code bytes} zero bytes to the payload and returns where they begin. */
  public int append(int bytes) {
    int at = PAYLOAD + payloadBytes;
    for (int done = 0; done < bytes; done += ZEROS.length) {
      buffer.put(at + done, ZEROS, 0, Math.min(ZEROS.length, bytes - done));
    }
    payloadBytes += bytes;
    return at;
  }

  public void putInt(int at, int value) {
    buffer.putInt(at, value);
  }

  public void putShort(int at, int value) {
    buffer.putShort(at, (short) value);
  }

  public void putLong(int at, long value) {
    buffer.putLong(at, value);
  }

  /** Appends bytes as they are. */
  public void appendBytes(byte[] bytes) {
    buffer.put(PAYLOAD + payloadBytes, bytes);
    payloadBytes += bytes.length;
  }

  /** An empty view of {@code length} bytes for file data; commit it with {@link #filled}. */
  public ByteBuffer data(int length) {
    return data.limit(PAYLOAD + length).position(PAYLOAD);
  }

  /** The first {@code length} bytes of {@link #data} are the payload. */
  public void filled(int length) {
    payloadBytes = length;
  }

  /** The most bytes of payload. */
  public int capacity() {
    return buffer.capacity() - PAYLOAD;
  }

  /** Appends a {@code fuse_entry_out}; the kernel gets one reference to the inode. */
  public void entry(Attributes attributes, Lifetime ofName, Lifetime ofAttributes) {
    referenced(attributes.inode());
    int at = append(AttrFormat.ENTRY_BYTES);
    AttrFormat.putEntry(buffer, at, attributes, ofName, ofAttributes);
  }

  /** Appends a {@code fuse_entry_out} that says that there is no such name. */
  public void noEntry(Lifetime lifetime) {
    AttrFormat.putNoEntry(buffer, append(AttrFormat.ENTRY_BYTES), lifetime);
  }

  /** Appends a {@code fuse_attr_out}. */
  public void attributes(Attributes attributes, Lifetime lifetime) {
    AttrFormat.putAttrOut(buffer, append(AttrFormat.OUT_BYTES), attributes, lifetime);
  }

  /** Appends a {@code fuse_statx_out}. */
  public void extendedAttributes(Attributes attributes, Lifetime lifetime) {
    StatxFormat.put(buffer, append(StatxFormat.OUT_BYTES), attributes, lifetime);
  }

  /** Appends a {@code fuse_open_out}; the kernel gets the handle. */
  public void opened(long handle, int flags) {
    openedHandle = handle;
    int at = append(FileFormat.OPENED_BYTES);
    buffer.putLong(at + FileFormat.OPENED_HANDLE, handle);
    buffer.putInt(at + FileFormat.OPENED_FLAGS, flags);
  }

  /** Appends a {@code fuse_statfs_out}. */
  public void status(FileSystemStatus status) {
    StatfsFormat.put(buffer, append(StatfsFormat.BYTES), status);
  }

  /**
   * Appends a directory entry when it fits.
   *
   * @param sizeMax bytes of payload that the kernel asked for
   * @return false when the entry does not fit and was not appended
   */
  public boolean directoryEntry(int sizeMax, byte[] name, long inode, FileType type, long cookie) {
    int bytes = DirentFormat.bytes(name.length);
    if (payloadBytes + bytes > sizeMax) {
      return false;
    }
    putDirent(append(bytes), name, inode, type, cookie);
    return true;
  }

  /**
   * Appends a directory entry with room for attributes, when it fits.
   *
   * @return where the entry is, for {@link #completePlus}; -1 when it does not fit
   */
  public int directoryEntryPlus(int sizeMax, byte[] name, long inode, FileType type, long cookie) {
    int bytes = AttrFormat.ENTRY_BYTES + DirentFormat.bytes(name.length);
    if (payloadBytes + bytes > sizeMax) {
      return -1;
    }
    int at = append(bytes);
    putDirent(at + AttrFormat.ENTRY_BYTES, name, inode, type, cookie);
    return at;
  }

  /** Adds the attributes to an entry; the kernel gets one reference to the inode. */
  public void completePlus(int at, Attributes attributes, Lifetime ofName, Lifetime ofAttributes) {
    referenced(attributes.inode());
    AttrFormat.putEntry(buffer, at, attributes, ofName, ofAttributes);
  }

  private void putDirent(int at, byte[] name, long inode, FileType type, long cookie) {
    buffer.putLong(at + DirentFormat.INODE, inode);
    buffer.putLong(at + DirentFormat.COOKIE, cookie);
    buffer.putInt(at + DirentFormat.NAME_LENGTH, name.length);
    buffer.putInt(at + DirentFormat.TYPE, type.directoryEntryType());
    buffer.put(at + DirentFormat.NAME, name);
  }

  private void referenced(long inode) {
    if (referencedCount == referenced.length) {
      referenced = Arrays.copyOf(referenced, 2 * referencedCount);
    }
    referenced[referencedCount++] = inode;
  }

  /** The inodes to which the reply gives one reference each; owned by the caller. */
  public long[] references() {
    return Arrays.copyOf(referenced, referencedCount);
  }

  /** The handle that the reply gives, 0 when none. */
  public long openedHandle() {
    return openedHandle;
  }
}
