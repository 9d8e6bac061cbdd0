package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/**
 * flock(2), and the locks of fcntl(2): those of an open file description stand for those of another
 * process, with which they conflict.
 */
class LockTest extends PosixContract {
  private int open() {
    return ALICE.open(at("f"), O_CREAT | O_RDWR, 0644);
  }

  @Test
  void oneHoldsAnExclusiveFlockOrManyASharedOne() {
    int a = open();
    int b = open();
    ALICE.flock(a, LOCK_EX);
    refuses(EAGAIN, () -> ALICE.flock(b, LOCK_EX | LOCK_NB));
    refuses(EAGAIN, () -> ALICE.flock(b, LOCK_SH | LOCK_NB));
    ALICE.flock(a, LOCK_SH);
    ALICE.flock(b, LOCK_SH | LOCK_NB);
    refuses(EAGAIN, () -> ALICE.flock(a, LOCK_EX | LOCK_NB));
    ALICE.flock(b, LOCK_UN);
    ALICE.flock(a, LOCK_EX | LOCK_NB);
    int duplicate = ALICE.dup(a);
    ALICE.close(a);
    refuses(EAGAIN, () -> ALICE.flock(b, LOCK_EX | LOCK_NB));
    ALICE.close(duplicate);
    ALICE.flock(b, LOCK_EX | LOCK_NB);
    refuses(EINVAL, () -> ALICE.flock(b, 77));
  }

  @Test
  void directoriesAndReadersAreLockedToo() {
    open();
    int reader = ALICE.open(at("f"), O_RDONLY);
    ALICE.flock(reader, LOCK_EX | LOCK_NB);
    int directory = ALICE.open(here(), O_RDONLY);
    ALICE.flock(directory, LOCK_EX | LOCK_NB);
    int other = ALICE.open(here(), O_RDONLY);
    refuses(EAGAIN, () -> ALICE.flock(other, LOCK_SH | LOCK_NB));
  }

  @Test
  void rangesOfDifferentOwnersConflict() {
    int a = open();
    int b = open();
    ALICE.lock(a, F_OFD_SETLK, F_WRLCK, 10, 10);
    refuses(EAGAIN, () -> ALICE.lock(b, F_OFD_SETLK, F_WRLCK, 19, 1));
    refuses(EAGAIN, () -> ALICE.lock(b, F_OFD_SETLK, F_RDLCK, 0, 0));
    refuses(EAGAIN, () -> ALICE.lock(b, F_SETLK, F_RDLCK, 15, 1));
    ALICE.lock(b, F_OFD_SETLK, F_WRLCK, 20, 5);
    ALICE.lock(b, F_OFD_SETLK, F_WRLCK, 0, 10);
    User.Lock found = ALICE.lock(b, F_OFD_GETLK, F_WRLCK, 5, 100);
    assertEquals(new User.Lock(F_WRLCK, 10, 10, -1), found);
    ALICE.lock(a, F_OFD_SETLK, F_UNLCK, 12, 3);
    ALICE.lock(b, F_OFD_SETLK, F_WRLCK, 12, 3);
    ALICE.close(a);
    ALICE.lock(b, F_OFD_SETLK, F_WRLCK, 0, 0);
  }

  @Test
  void readersShare() {
    int a = open();
    int b = open();
    ALICE.lock(a, F_OFD_SETLK, F_RDLCK, 0, 10);
    ALICE.lock(b, F_OFD_SETLK, F_RDLCK, 5, 10);
    refuses(EAGAIN, () -> ALICE.lock(b, F_OFD_SETLK, F_WRLCK, 5, 10));
    assertEquals(F_UNLCK, ALICE.lock(b, F_OFD_GETLK, F_RDLCK, 0, 0).type());
  }

  @Test
  void locksOfAProcessEndWithAnyClose() {
    int a = open();
    int b = open();
    ALICE.lock(a, F_SETLK, F_WRLCK, 0, 10);
    ALICE.lock(a, F_SETLK, F_RDLCK, 5, 10);
    int other = open();
    assertEquals(
        new User.Lock(F_WRLCK, 0, 5, (int) ProcessHandle.current().pid()),
        ALICE.lock(other, F_OFD_GETLK, F_WRLCK, 0, 0));
    refuses(EAGAIN, () -> ALICE.lock(other, F_OFD_SETLK, F_WRLCK, 0, 1));
    ALICE.close(b);
    ALICE.lock(other, F_OFD_SETLK, F_WRLCK, 0, 0);
  }

  @Test
  void theDescriptorMustAllowTheLock() {
    open();
    int reader = ALICE.open(at("f"), O_RDONLY);
    int writer = ALICE.open(at("f"), O_WRONLY);
    refuses(EBADF, () -> ALICE.lock(reader, F_OFD_SETLK, F_WRLCK, 0, 1));
    refuses(EBADF, () -> ALICE.lock(writer, F_OFD_SETLK, F_RDLCK, 0, 1));
    refuses(EINVAL, () -> ALICE.lock(writer, F_OFD_SETLK, (short) 9, 0, 1));
    refuses(EINVAL, () -> ALICE.lock(writer, F_OFD_SETLK, F_WRLCK, -1, 1));
  }
}
