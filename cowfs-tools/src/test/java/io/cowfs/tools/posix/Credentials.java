package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.CLibrary.C;

import java.util.Arrays;
import java.util.function.LongSupplier;

/**
 * Who makes system calls. Credentials belong to a thread, as the kernel sees it, and only the C
 * library's wrappers change them for a whole process: so each call is made with those of its user,
 * between two raw system calls. The saved user id stays root's, which is no privilege in itself:
 * capabilities that count are dropped with the effective id, and come back with it. Thread-safe.
 */
class Credentials {
  private static final int[] NO_GROUPS = {};

  private final int uid;
  private final int gid;
  private final int[] groups;

  Credentials(int uid, int gid, int... groups) {
    this.uid = uid;
    this.gid = gid;
    this.groups = groups;
  }

  int uid() {
    return uid;
  }

  int gid() {
    return gid;
  }

  /** A group that is not the user's first one. */
  int otherGroup() {
    return groups[0];
  }

  /** Makes one call of the C library as this user. */
  final long call(LongSupplier libraryCall, String name, Object... arguments) {
    long result;
    int errno;
    boolean switches = uid != 0 || gid != 0;
    if (switches) {
      setGroups(groups);
      must(C.syscall(Linux.SYS_SETRESGID, gid, gid, 0));
      must(C.syscall(Linux.SYS_SETRESUID, uid, uid, 0));
    }
    try {
      result = libraryCall.getAsLong();
      errno = CLibrary.errno();
    } finally {
      if (switches) {
        must(C.syscall(Linux.SYS_SETRESUID, 0, 0, 0));
        must(C.syscall(Linux.SYS_SETRESGID, 0, 0, 0));
        setGroups(NO_GROUPS);
      }
    }
    if (result < 0) {
      throw new ErrnoException(errno, "uid " + uid + ": " + name + Arrays.toString(arguments));
    }
    return result;
  }

  private static void setGroups(int[] groups) {
    must(C.syscall(Linux.SYS_SETGROUPS, groups.length, groups.length == 0 ? new int[1] : groups));
  }

  private static void must(long result) {
    if (result < 0) {
      throw new IllegalStateException("credentials: " + Errno.name(CLibrary.errno()));
    }
  }
}
