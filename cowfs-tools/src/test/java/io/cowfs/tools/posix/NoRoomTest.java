package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.tools.e2e.MountedPool;
import io.cowfs.tools.e2e.Program;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A dataset whose quota is reached, and then a pool that is full: what each call says, and what
 * goes on all the same.
 */
@EnabledIf("io.cowfs.tools.e2e.Requirements#rootFuse")
final class NoRoomTest {
  private static final User ROOT = User.ROOT;
  private static final int MIB = 1 << 20;
  private static final int PAGE = 4096;

  /** More than would fit, so that a test ends. */
  private static final int TRIES = 5_000;

  private final Random random = new Random(1);
  private String directory;

  private String at(String name) {
    return directory + "/" + name;
  }

  @ParameterizedTest
  @ValueSource(strings = {"writeback=on", "writeback=off"})
  void callsThatAddAreRefusedAndOthersAreNot(String option) throws Exception {
    Path top = Files.createTempDirectory("no-room");
    try (MountedPool pool = MountedPool.ofSize(top, "64M", "-o", option);
        AutoCloseable descriptors = OpenFds::closeAll) {
      pool.succeed("set", pool.pool().toString(), "quota=16M");
      // What the kernel writes later, it reports as ENOSPC or EIO.
      boolean later = option.equals("writeback=on");
      exercise(pool.path("quota"), EDQUOT, later ? ENOSPC : EDQUOT);
      pool.succeed("set", pool.pool().toString(), "quota=none");
      exercise(pool.path("full"), ENOSPC, ENOSPC);
      pool.unmount();
      pool.succeed("check", pool.pool().toString());
    } finally {
      Program.succeed(Path.of("/"), "rm", "-rf", top.toString());
    }
  }

  private void exercise(Path where, Errno refusal, Errno refusalOfData) {
    directory = where.toString();
    ROOT.mkdir(directory, 0755);
    ROOT.put(at("kept"), "content");
    ROOT.setxattr(at("kept"), "user.a", "value");
    ROOT.mkdir(at("gone"), 0755);
    ROOT.put(at("a"), "a");
    ROOT.put(at("b"), "b");
    int holes = ROOT.open(at("holes"), O_RDWR | O_CREAT, 0600);
    ROOT.pwrite(holes, content(MIB), 0);
    ROOT.fsync(holes);

    int filler = ROOT.open(at("filler"), O_RDWR | O_CREAT, 0600);
    refusedInTheEnd(refusalOfData, i -> write(filler, MIB, (long) i * MIB));
    int rest = ROOT.open(at("rest"), O_RDWR | O_CREAT, 0600);
    refusedInTheEnd(refusalOfData, i -> write(rest, PAGE, (long) i * PAGE));

    callsThatAdd(refusal, holes);
    callsThatDoNot(holes);

    ROOT.unlink(at("filler"));
    ROOT.unlink(at("rest"));
    OpenFds.closeAll();
    int again = ROOT.open(at("again"), O_RDWR | O_CREAT, 0600);
    write(again, MIB, 0);
    ROOT.mkdir(at("directory"), 0755);
    ROOT.fallocate(again, 0, 0, 2 * MIB);
    ROOT.close(again);
  }

  private interface AddingCall {
    void make(int i);
  }

  private void callsThatAdd(Errno refusal, int file) {
    refusedInTheEnd(refusal, i -> ROOT.close(ROOT.open(at("file" + i), O_CREAT | O_RDWR, 0600)));
    refusedInTheEnd(refusal, i -> ROOT.mkdir(at("directory" + i), 0755));
    refusedInTheEnd(refusal, i -> ROOT.mknod(at("fifo" + i), S_IFIFO | 0600, 0));
    refusedInTheEnd(refusal, i -> ROOT.symlink("t".repeat(1000), at("symlink" + i)));
    refusedInTheEnd(refusal, i -> ROOT.link(at("kept"), at("link" + i)));
    refusedInTheEnd(refusal, i -> ROOT.setxattr(at("kept"), "user.b" + i, content(60_000)));
    refusedInTheEnd(refusal, i -> ROOT.open(directory, O_TMPFILE | O_RDWR, 0600));
    int copy = ROOT.open(at("a"), O_RDWR);
    refusedInTheEnd(refusal, i -> ROOT.copyFileRange(file, 0, copy, (long) i * MIB, MIB));
    for (int mode : new int[] {0, FALLOC_FL_KEEP_SIZE}) {
      PosixContract.refuses(refusal, () -> ROOT.fallocate(file, mode, MIB, 1L << 30));
      assertEquals(MIB, ROOT.fstat(file).size());
    }
    // What is there already needs no more.
    ROOT.fallocate(file, 0, 0, MIB);
  }

  private void callsThatDoNot(int holes) {
    assertEquals("content", ROOT.pread(ROOT.open(at("kept"), O_RDONLY), 10, 0));
    ROOT.chmod(at("kept"), 0600);
    ROOT.chown(at("kept"), 1, 1);
    ROOT.utimens(at("kept"), 1, 0, 2, 0);
    ROOT.removexattr(at("kept"), "user.a");
    ROOT.rename(at("a"), at("c"));
    ROOT.rename(at("c"), at("b"), RENAME_EXCHANGE);
    ROOT.rename(at("c"), at("b"));
    ROOT.ftruncate(holes, 10 * MIB);
    ROOT.fallocate(holes, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, MIB / 2);
    ROOT.ftruncate(holes, MIB / 4);
    ROOT.fsync(holes);
    assertEquals("\0", ROOT.pread(holes, 1, 100));
    ROOT.rmdir(at("gone"));
  }

  /** Written and durable: with the kernel's cache, the refusal may come with the second. */
  private void write(int fd, int bytes, long offset) {
    assertEquals(bytes, ROOT.pwrite(fd, content(bytes), offset));
    ROOT.fdatasync(fd);
  }

  /** What does not compress. */
  private String content(int bytes) {
    StringBuilder text = new StringBuilder(bytes);
    random.ints(bytes, 0, 256).forEach(b -> text.append((char) b));
    return text.toString();
  }

  private static void refusedInTheEnd(Errno refusal, AddingCall call) {
    ErrnoException refused = null;
    for (int i = 0; i < TRIES && refused == null; i++) {
      try {
        call.make(i);
      } catch (ErrnoException e) {
        refused = e;
      }
    }
    assertTrue(refused != null, "never refused");
    assertEquals(refusal.name(), refused.errnoName(), refused::getMessage);
  }
}
