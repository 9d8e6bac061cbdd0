package io.cowfs.tools.exerciser;

import static io.cowfs.tools.posix.CLibrary.C;

import io.cowfs.tools.posix.CLibrary;
import io.cowfs.tools.posix.Errno;
import io.cowfs.tools.posix.Linux;
import jnr.ffi.Pointer;

/** Memory outside the heap, aligned to pages, as O_DIRECT wants it. Owned by one thread. */
final class Memory implements AutoCloseable {
  private final Pointer memory;

  Memory(int bytes) {
    long address =
        C.mmap(
            0,
            bytes,
            Linux.PROT_READ | Linux.PROT_WRITE,
            Linux.MAP_PRIVATE | Linux.MAP_ANONYMOUS,
            -1,
            0);
    if (address == -1) {
      throw new IllegalStateException("mmap: " + Errno.name(CLibrary.errno()));
    }
    memory = CLibrary.memory(address, bytes);
  }

  long address() {
    return memory.address();
  }

  void put(byte[] bytes, int from, int count) {
    memory.put(0, bytes, from, count);
  }

  void get(byte[] bytes, int to, int count) {
    memory.get(0, bytes, to, count);
  }

  @Override
  public void close() {
    C.munmap(memory.address(), memory.size());
  }
}
