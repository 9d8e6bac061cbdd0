package io.cowfs.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Workers as those of a mount, over a queue in place of the kernel's. */
@Timeout(60)
final class ReadyWorkersTest {
  private static final int WORKERS = 6;

  private record Request(Runnable work, Runnable reply) {}

  private static final Request GONE = new Request(() -> {}, () -> {});

  /** False where what is shown does not depend on it. */
  private volatile boolean seesRequests = true;

  private final LinkedBlockingQueue<Request> requests = new LinkedBlockingQueue<>();
  private final ReadyWorkers ready =
      new ReadyWorkers(WORKERS, () -> seesRequests && !requests.isEmpty());
  private final List<Thread> workers = new ArrayList<>();

  @BeforeEach
  void start() {
    ready.start();
    for (int i = 0; i < WORKERS; i++) {
      Thread worker = new Thread(this::work, "worker-" + i);
      worker.setDaemon(true);
      worker.start();
      workers.add(worker);
    }
  }

  private void work() {
    try {
      while (true) {
        ready.beforeRequest();
        Request request = requests.take();
        ready.afterRequest();
        if (request == GONE) {
          requests.add(GONE);
          return;
        }
        request.work().run();
        ready.beforeReply();
        request.reply().run();
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    } finally {
      ready.end();
    }
  }

  @AfterEach
  void allEndWithTheMount() throws InterruptedException {
    requests.add(GONE);
    for (Thread worker : workers) {
      worker.join(TimeUnit.SECONDS.toMillis(30));
      assertFalse(worker.isAlive(), worker::toString);
    }
    ready.awaitEnd();
  }

  private void request(Runnable work) {
    requests.add(new Request(work, () -> {}));
  }

  /** One request after the other. */
  private void serve(int count) throws InterruptedException {
    for (int i = 0; i < count; i++) {
      CountDownLatch done = new CountDownLatch(1);
      request(done::countDown);
      done.await();
    }
  }

  private void letAllButOneRest() throws InterruptedException {
    while (ready.resting() < WORKERS - 1) {
      serve(100);
    }
  }

  @Test
  void fewServeWhatComesOneAfterTheOther() throws InterruptedException {
    letAllButOneRest();
  }

  @Test
  void requestsThatWaitForEachOtherAreAllServed() throws InterruptedException {
    for (int round = 0; round < 20; round++) {
      letAllButOneRest();
      CountDownLatch allBusy = new CountDownLatch(WORKERS);
      CountDownLatch done = new CountDownLatch(WORKERS);
      for (int i = 0; i < WORKERS; i++) {
        request(
            () -> {
              allBusy.countDown();
              await(allBusy);
              done.countDown();
            });
      }
      assertTrue(done.await(30, TimeUnit.SECONDS), "round " + round + ": " + allBusy);
    }
  }

  /** As a flush of the kernel's pages does while a request waits for it. */
  @Test
  void whatABusyWorkerWaitsForIsServedAfterASleep() throws InterruptedException {
    seesRequests = false;
    for (int round = 0; round < 20; round++) {
      letAllButOneRest();
      // Nobody looks any more.
      Thread.sleep(50);
      CountDownLatch inner = new CountDownLatch(1);
      CountDownLatch outer = new CountDownLatch(1);
      request(
          () -> {
            request(inner::countDown);
            await(inner);
            outer.countDown();
          });
      assertTrue(outer.await(30, TimeUnit.SECONDS), "round " + round);
    }
  }

  /** The kernel does in a reply what it has put off, such as the last close of a file. */
  @Test
  void whatAReplyWaitsForIsServed() throws InterruptedException {
    seesRequests = false;
    for (int round = 0; round < 20; round++) {
      letAllButOneRest();
      if (round % 2 == 0) {
        Thread.sleep(50);
      }
      CountDownLatch inner = new CountDownLatch(1);
      CountDownLatch outer = new CountDownLatch(1);
      requests.add(
          new Request(
              () -> {},
              () -> {
                request(inner::countDown);
                await(inner);
                outer.countDown();
              }));
      assertTrue(outer.await(30, TimeUnit.SECONDS), "round " + round);
    }
  }

  @Test
  void manyAtOnceAreServedWhileSomeRestAndOthersAreCalled() throws InterruptedException {
    letAllButOneRest();
    CountDownLatch done = new CountDownLatch(3_000);
    for (int i = 0; i < 3_000; i++) {
      int micros = i % 7 == 0 ? 3_000 : 0;
      request(
          () -> {
            pause(micros);
            done.countDown();
          });
    }
    assertTrue(done.await(30, TimeUnit.SECONDS), () -> done.getCount() + " are left");
    assertEquals(0, requests.size());
  }

  private static void pause(int micros) {
    try {
      TimeUnit.MICROSECONDS.sleep(micros);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
