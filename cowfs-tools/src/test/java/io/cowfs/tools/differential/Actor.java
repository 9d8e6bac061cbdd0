package io.cowfs.tools.differential;

import static io.cowfs.tools.posix.CLibrary.C;
import static io.cowfs.tools.posix.Linux.*;

import io.cowfs.tools.posix.CLibrary;
import io.cowfs.tools.posix.Errno;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * One side's thread with the credentials, umask, working directory and descriptors of its own: to
 * the file system, a process. All but {@link #run}, {@link #begin}, {@link #fork} and {@link #end}
 * belongs to that thread.
 */
final class Actor {
  static final String[] NAMES = {"root", "alice", "bob", "root2", "child"};

  /** Made by a fork, in the place of the one before. */
  static final int CHILD = 4;

  static final int SLOTS = 4;

  private static final int[] UIDS = {0, 64_001, 64_002, 0};
  private static final int[][] GROUPS = {{}, {64_012, 64_020}, {64_020}, {}};
  private static final int CLONE_FILES = 0x400;
  static final long TIMEOUT_SECONDS = 60;

  private final ThreadPoolExecutor thread;

  /** Descriptors, -1 where there is none. */
  final int[] slots;

  private Actor(int[] slots) {
    this.slots = slots;
    thread =
        new ThreadPoolExecutor(
            1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), Actor::daemon);
  }

  private static Thread daemon(Runnable work) {
    Thread thread = new Thread(work, "actor");
    thread.setDaemon(true);
    return thread;
  }

  /** A user who begins in a directory, with nothing open. */
  static Actor start(int index, String directory) {
    int[] none = new int[SLOTS];
    Arrays.fill(none, -1);
    Actor actor = new Actor(none);
    actor.run(
        () -> {
          actor.becomeProcess();
          actor.must(C.chdir(bytes(directory)));
          C.umask(index == 0 ? 0 : 022);
          int uid = UIDS[index];
          if (uid != 0) {
            int[] groups = GROUPS[index];
            actor.must(C.syscall(SYS_SETGROUPS, groups.length, groups));
            actor.must(C.syscall(SYS_SETRESGID, uid, uid, uid));
            actor.must(C.syscall(SYS_SETRESUID, uid, uid, uid));
          }
          return "";
        });
    return actor;
  }

  private void becomeProcess() {
    must(C.unshare(CLONE_FS | CLONE_FILES));
  }

  /** A new actor with all that this one has: its thread begins as a clone of this one's. */
  Actor fork() {
    Actor child = new Actor(slots.clone());
    run(
        () -> {
          child.thread.prestartCoreThread();
          return "";
        });
    child.run(
        () -> {
          child.becomeProcess();
          return "";
        });
    return child;
  }

  /** Makes calls on this actor's thread, and does not wait. */
  void begin(Runnable calls) {
    thread.execute(calls);
  }

  /** Makes calls on this actor's thread, and waits for it. */
  String run(java.util.concurrent.Callable<String> calls) {
    try {
      return thread.submit(calls).get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    } catch (java.util.concurrent.TimeoutException e) {
      throw new IllegalStateException("a call hangs", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Exits: closes what is open, and gives locks back. */
  void end() {
    run(
        () -> {
          for (int fd : slots) {
            if (fd >= 0) {
              C.close(fd);
            }
          }
          C.chdir(bytes("/"));
          return "";
        });
    thread.shutdown();
  }

  /** Each character is a byte; ended by NUL. */
  static byte[] bytes(String path) {
    byte[] text = path.getBytes(StandardCharsets.ISO_8859_1);
    return Arrays.copyOf(text, text.length + 1);
  }

  /** The directory to begin a path at: that of a slot, or with -1 the working directory. */
  int directory(int slot) {
    return slot < 0 ? AT_FDCWD : slots[slot];
  }

  /** A result, or the errno by its name. */
  static String outcome(long result) {
    return result < 0 ? Errno.name(CLibrary.errno()) : Long.toString(result);
  }

  /** The same, with as many bytes as the result tells. */
  static String outcome(long result, byte[] bytes) {
    String outcome = outcome(result);
    int count = (int) Math.max(0, Math.min(result, bytes.length));
    return outcome + " hash " + Integer.toHexString(Arrays.hashCode(Arrays.copyOf(bytes, count)));
  }

  /** 0 or an errno: for results that are addresses or descriptors. */
  static String success(long result) {
    return result < 0 ? Errno.name(CLibrary.errno()) : "0";
  }

  /** The result of a call that opens: the descriptor goes into a slot, in the place of another. */
  String opened(long fd, int slot) {
    String outcome = success(fd);
    if (fd >= 0) {
      if (slots[slot] >= 0) {
        C.close(slots[slot]);
      }
      slots[slot] = (int) fd;
    }
    return outcome;
  }

  String close(int slot) {
    String outcome = success(C.close(slots[slot]));
    slots[slot] = -1;
    return outcome;
  }

  /** The bytes of the file in a slot, or -1. */
  long size(int slot) {
    ByteBuffer stat = ByteBuffer.allocate(256).order(ByteOrder.nativeOrder());
    return C.statx(slots[slot], new byte[1], AT_EMPTY_PATH, 0x7ff, stat) < 0
        ? -1
        : stat.getLong(40);
  }

  private void must(long result) {
    if (result < 0) {
      throw new IllegalStateException(Errno.name(CLibrary.errno()));
    }
  }
}
