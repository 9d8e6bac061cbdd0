package io.cowfs.core.memory;

import com.kenai.jffi.MemoryIO;
import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import jnr.ffi.types.size_t;

/**
 * Buffers that may go past the host's cache: they begin at whole sectors. Thread-safe. A buffer
 * lives as long as it, or a view of it, is reachable; whoever hands its address to the kernel keeps
 * it reachable meanwhile.
 */
public final class DirectBuffers {
  /** Where buffers begin: what devices ask for, and a page of memory on most machines. */
  private static final int UNIT_BYTES = 4096;

  /** Of a large page of memory, on most machines. */
  public static final int LARGE_PAGE_BYTES = 2 << 20;

  /** From linux/mman.h. */
  private static final int MADV_HUGEPAGE = 14;

  /**
   * After so much, some of it may be waiting for the garbage collector, which knows nothing of it.
   */
  private static final long BYTES_PER_COLLECTION =
      Math.min(Runtime.getRuntime().maxMemory(), 384L << 20);

  private static final AtomicLong bytesSinceCollection = new AtomicLong();

  /** What is needed of the C library; public because the binding is a class of its own. */
  public interface LibC {
    long aligned_alloc(@size_t long alignment, @size_t long bytes);

    void free(long address);

    int madvise(long address, @size_t long bytes, int advice);
  }

  /** Bound when first needed: that takes a while. */
  private static final class Binding {
    static final LibC LIBC = CLibrary.bind(LibC.class);
    static final Cleaner CLEANER = Cleaner.create();

    private Binding() {}
  }

  private DirectBuffers() {}

  /**
   * An empty buffer, to be filled.
   *
   * @param bytes its capacity
   */
  public static ByteBuffer aligned(int bytes) {
    int whole = (bytes + UNIT_BYTES - 1) / UNIT_BYTES * UNIT_BYTES;
    return ByteBuffer.allocateDirect(whole + UNIT_BYTES)
        .alignedSlice(UNIT_BYTES)
        .limit(bytes)
        .slice();
  }

  /**
   * The same in large pages, where the kernel has some, and taken only where it is touched: it is
   * not cleared. A device is handed few long runs of memory then, instead of one for each 4 KiB: on
   * a virtual machine it writes nearly twice and reads four times as fast. It does not count among
   * the direct buffers of the virtual machine.
   *
   * @param bytes its capacity; memory is taken in whole large pages
   */
  public static ByteBuffer large(int bytes) {
    long whole = (bytes + LARGE_PAGE_BYTES - 1L) / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
    if (bytesSinceCollection.addAndGet(whole) > BYTES_PER_COLLECTION) {
      bytesSinceCollection.set(0);
      System.gc();
    }
    long address = Binding.LIBC.aligned_alloc(LARGE_PAGE_BYTES, whole);
    if (address == 0) {
      throw new OutOfMemoryError("no memory for a buffer of " + whole + " bytes");
    }
    // Advice: where it is not taken, all works with small pages.
    Binding.LIBC.madvise(address, whole, MADV_HUGEPAGE);
    ByteBuffer memory = MemoryIO.getInstance().newDirectByteBuffer(address, bytes);
    Binding.CLEANER.register(memory, () -> Binding.LIBC.free(address));
    return memory.slice();
  }
}
