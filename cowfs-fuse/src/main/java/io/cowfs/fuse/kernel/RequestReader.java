package io.cowfs.fuse.kernel;

import io.cowfs.fuse.errno.Errno;
import io.cowfs.fuse.wire.Request;
import java.util.function.LongSupplier;

/**
 * Reads the requests of one worker, and stays awake for a moment where the next one is likely to
 * come soon: to put a processor to sleep and to wake it takes longer than most requests. For one
 * worker alone.
 *
 * <p>The algorithm is the adaptive one of KVM's halt polling (Linux, {@code
 * Documentation/virt/kvm/halt-polling.rst}), with one step instead of a growing window: whether it
 * spins is decided by how long it waited the last time. So an idle mount never spins, and the end
 * of a burst of requests costs {@link #SPIN_NANOS} once. After a request that took long it does not
 * spin either: most likely it has waited for a device, and a program that shares a processor with
 * who waits for its device is woken sooner than one that was kept away from it.
 */
final class RequestReader {
  private static final long SPIN_NANOS = 40_000;

  /** What a sleep takes at most, waking included, where spinning would have paid. */
  private static final long SOON_NANOS = 80_000;

  /** On a single processor it would keep the program from sending what it waits for. */
  private static final boolean MAY_SPIN = Runtime.getRuntime().availableProcessors() > 1;

  private final FuseDevice device;
  private final Request request;
  private final long address;
  private final ReadyWorkers ready;
  private final LongSupplier nanoTime;
  private boolean cameSoon;

  /** When the last request was read. */
  private long readAt;

  /**
   * @param address of the request's buffer
   * @param ready the workers of the mount; where another one waits, that one is woken anyway
   * @param nanoTime as {@link System#nanoTime}
   */
  RequestReader(
      FuseDevice device, Request request, long address, ReadyWorkers ready, LongSupplier nanoTime) {
    this.device = device;
    this.request = request;
    this.address = address;
    this.ready = ready;
    this.nanoTime = nanoTime;
    this.readAt = nanoTime.getAsLong();
  }

  /** Waits for a request. Returns bytes read, or a negated errno; EAGAIN means to ask again. */
  long read() {
    long begin = nanoTime.getAsLong();
    boolean spins = cameSoon && begin - readAt < SPIN_NANOS && ready.onlyOneWaits();
    long bytes = spins ? spin(begin) : device.read(request, address);
    readAt = nanoTime.getAsLong();
    cameSoon = MAY_SPIN && readAt - begin < (spins ? SPIN_NANOS : SOON_NANOS);
    return bytes;
  }

  private long spin(long begin) {
    do {
      long bytes = device.readAtOnce(request, address);
      if (bytes != -Errno.EAGAIN) {
        return bytes;
      }
    } while (nanoTime.getAsLong() - begin < SPIN_NANOS);
    return device.read(request, address);
  }
}
