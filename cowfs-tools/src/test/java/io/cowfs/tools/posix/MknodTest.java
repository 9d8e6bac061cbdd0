package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.CLibrary.C;
import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** mknod(2), and the types of files that come of it. */
class MknodTest extends PosixContract {
  /** As the C library packs it. */
  private static long device(long major, long minor) {
    return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffL) << 12;
  }

  @ParameterizedTest
  @ValueSource(ints = {S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK})
  void rootMakesAllTypes(int type) {
    ROOT.mknod(at("node"), type | 0640, device(7, 3));
    Stat made = ROOT.stat(at("node"));
    assertEquals(type, made.type());
    assertEquals(0640, made.permissions());
    assertEquals(1, made.nlink());
    assertEquals(0, made.size());
    boolean device = type == S_IFCHR || type == S_IFBLK;
    assertEquals(device ? 7 : 0, made.rdevMajor());
    assertEquals(device ? 3 : 0, made.rdevMinor());
    assertEquals(made.ctime(), made.mtime());
  }

  @ParameterizedTest
  @CsvSource({"1, 3", "4095, 1048575", "259, 256", "0, 1"})
  void deviceNumbersAreKept(int major, int minor) {
    ROOT.mknod(at("node"), S_IFBLK | 0600, device(major, minor));
    Stat made = ROOT.stat(at("node"));
    assertEquals(List.of(major, minor), List.of(made.rdevMajor(), made.rdevMinor()));
  }

  @Test
  void usersMakeAllButDevices() {
    for (int type : new int[] {S_IFREG, S_IFIFO, S_IFSOCK}) {
      ALICE.mknod(at("node" + type), type | 0644, 0);
      Stat made = ROOT.stat(at("node" + type));
      assertEquals(List.of(ALICE.uid(), ALICE.gid()), List.of(made.uid(), made.gid()));
    }
    for (int type : new int[] {S_IFCHR, S_IFBLK}) {
      refusesAndTouchesNothing(
          EPERM, here(), () -> ALICE.mknod(at("device"), type | 0644, device(1, 3)));
    }
  }

  @Test
  void usersMakeWhiteouts() {
    ALICE.mknod(at("whiteout"), S_IFCHR, device(0, 0));
    assertEquals(S_IFCHR, ROOT.stat(at("whiteout")).type());
  }

  @Test
  void noTypeMeansARegularFile() {
    ALICE.mknod(at("f"), 0600, 0);
    assertEquals(S_IFREG | 0600, ROOT.stat(at("f")).mode());
  }

  @Test
  void otherTypesAreRefused() {
    refuses(EPERM, () -> ROOT.mknod(at("d"), S_IFDIR | 0755, 0));
    refuses(EINVAL, () -> ROOT.mknod(at("l"), S_IFLNK | 0777, 0));
    refuses(EINVAL, () -> ROOT.mknod(at("x"), 0070000 | 0777, 0));
  }

  @ParameterizedTest
  @CsvSource({"0666, 022, 0644", "07777, 0, 07777", "07777, 0111, 07666", "0, 0, 0"})
  void theMaskTakesBitsAway(String mode, String mask, String expected) {
    C.umask(Integer.parseInt(mask, 8));
    ALICE.mknod(at("f"), S_IFIFO | Integer.parseInt(mode, 8), 0);
    assertEquals(Integer.parseInt(expected, 8), ROOT.stat(at("f")).permissions());
  }

  @Test
  void aSetGroupIdDirectoryGivesItsGroup() {
    ROOT.directory(at("d"), 0777);
    ROOT.chown(at("d"), 0, 12_345);
    ROOT.chmod(at("d"), 02777);
    ALICE.mknod(at("d/f"), S_IFIFO | 0644, 0);
    assertEquals(12_345, ROOT.stat(at("d/f")).gid());
    assertEquals(0644, ROOT.stat(at("d/f")).permissions());
  }

  @Test
  void movesTheTimesOfTheParent() {
    touches(here(), () -> ALICE.mknod(at("f"), S_IFIFO | 0644, 0), Time.MTIME, Time.CTIME);
  }

  @Test
  void neverReplaces() {
    ALICE.file(at("file"), 0644);
    ALICE.mkdir(at("directory"), 0755);
    ALICE.symlink("nowhere", at("dangling"));
    for (String name : List.of("file", "directory", "dangling", ".", "..")) {
      refusesAndTouchesNothing(EEXIST, here(), () -> ALICE.mknod(at(name), S_IFIFO | 0644, 0));
    }
  }

  @Test
  void needsToWriteTheParent() {
    ROOT.directory(at("d"), 0755);
    refusesAndTouchesNothing(EACCES, at("d"), () -> ALICE.mknod(at("d/f"), S_IFIFO | 0644, 0));
  }

  @Test
  void aPipeCarriesBytes() {
    ALICE.mknod(at("fifo"), S_IFIFO | 0622, 0);
    refuses(ENXIO, () -> ALICE.open(at("fifo"), O_WRONLY | O_NONBLOCK));
    refuses(EACCES, () -> BOB.open(at("fifo"), O_RDONLY | O_NONBLOCK));
    int reader = ALICE.open(at("fifo"), O_RDONLY | O_NONBLOCK);
    int writer = BOB.open(at("fifo"), O_WRONLY | O_NONBLOCK);
    BOB.write(writer, "through");
    assertEquals("through", ALICE.read(reader, 100));
    refuses(EAGAIN, () -> ALICE.read(reader, 100));
    refuses(ESPIPE, () -> ALICE.lseek(reader, 0, SEEK_SET));
    refuses(EINVAL, () -> ALICE.truncate(at("fifo"), 0));
  }

  @Test
  void devicesWork() {
    ROOT.mknod(at("null"), S_IFCHR | 0666, device(1, 3));
    int fd = ALICE.open(at("null"), O_RDWR);
    assertEquals(3, ALICE.write(fd, "abc"));
    assertEquals("", ALICE.read(fd, 10));
    ROOT.mknod(at("none"), S_IFCHR | 0666, device(4000, 77));
    refuses(ENXIO, () -> ALICE.open(at("none"), O_RDWR));
  }

  @Test
  void socketsAreNotOpened() {
    ALICE.mknod(at("socket"), S_IFSOCK | 0666, 0);
    refuses(ENXIO, () -> ALICE.open(at("socket"), O_RDWR));
  }

  @Test
  void aBoundSocketHasAName() {
    byte[] path = PathCalls.bytes(at("s"));
    byte[] address = new byte[110];
    address[0] = 1;
    System.arraycopy(path, 0, address, 2, path.length);
    for (Errno expected : new Errno[] {null, EADDRINUSE}) {
      int socket = C.socket(1, 1, 0);
      OpenFds.add(socket);
      if (expected == null) {
        ALICE.call(() -> C.bind(socket, address, 2 + path.length), "bind");
      } else {
        refuses(expected, () -> ALICE.call(() -> C.bind(socket, address, 2 + path.length), "bind"));
      }
    }
    assertTrue(ROOT.stat(at("s")).type() == S_IFSOCK);
    assertEquals(ALICE.uid(), ROOT.stat(at("s")).uid());
  }
}
