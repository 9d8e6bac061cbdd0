package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** getdents64(2), which readdir(3), seekdir(3) and telldir(3) stand on. */
class ReaddirTest extends PosixContract {
  private static final int SMALL = 300;

  private void makeFiles(int count) {
    for (int i = 0; i < count; i++) {
      ALICE.mknod(at("file" + i), S_IFREG | 0644, 0);
    }
  }

  private static List<String> names(List<User.Entry> entries) {
    return entries.stream()
        .map(User.Entry::name)
        .filter(name -> !name.equals(".") && !name.equals(".."))
        .toList();
  }

  @Test
  void entriesTellTheirTypesAndNumbers() {
    ROOT.mkdir(at("d"), 0755);
    ROOT.symlink("nowhere", at("l"));
    Map<String, Integer> types = new HashMap<>(Map.of("d", S_IFDIR, "l", S_IFLNK));
    for (int type : new int[] {S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK}) {
      ROOT.mknod(at("n" + type), type | 0644, 259);
      types.put("n" + type, type);
    }
    for (int round = 0; round < 2; round++) {
      int fd = ALICE.open(here(), O_RDONLY);
      List<User.Entry> entries = ALICE.restOfDirectory(fd);
      assertEquals(types.size() + 2, entries.size());
      for (User.Entry entry : entries) {
        Stat stat = ROOT.lstat(at(entry.name()));
        assertEquals(stat.type() >> 12, entry.type(), entry.name());
        assertEquals(stat.ino(), entry.ino(), entry.name());
      }
    }
  }

  @Test
  void eachEntryComesOnceInSmallPortions() {
    makeFiles(500);
    int fd = ALICE.open(here(), O_RDONLY);
    List<User.Entry> all = new ArrayList<>();
    for (List<User.Entry> part; !(part = ALICE.getdents(fd, SMALL)).isEmpty(); ) {
      all.addAll(part);
    }
    assertEquals(502, all.size());
    assertEquals(500, new TreeSet<>(names(all)).size());
    assertEquals(List.of(), ALICE.getdents(fd, SMALL));
    ALICE.lseek(fd, 0, SEEK_SET);
    assertEquals(502, ALICE.restOfDirectory(fd).size());
    refuses(EINVAL, () -> rewindAndRead(fd, 20));
  }

  private static void rewindAndRead(int fd, int room) {
    ALICE.lseek(fd, 0, SEEK_SET);
    ALICE.getdents(fd, room);
  }

  @Test
  void anyPlaceIsFoundAgain() {
    makeFiles(200);
    int fd = ALICE.open(here(), O_RDONLY);
    List<User.Entry> all = ALICE.restOfDirectory(fd);
    for (int i = 0; i < all.size(); i += 17) {
      ALICE.lseek(fd, all.get(i).offset(), SEEK_SET);
      assertEquals(all.subList(i + 1, all.size()), ALICE.restOfDirectory(fd));
    }
    int other = ALICE.open(here(), O_RDONLY);
    ALICE.lseek(other, all.get(100).offset(), SEEK_SET);
    assertEquals(all.subList(101, all.size()), ALICE.restOfDirectory(other));
  }

  @Test
  void removalDuringTheScanHidesNoOther() {
    makeFiles(400);
    int fd = ALICE.open(here(), O_RDONLY);
    List<String> seen = new ArrayList<>();
    for (List<User.Entry> part; !(part = ALICE.getdents(fd, SMALL)).isEmpty(); ) {
      for (String name : names(part)) {
        seen.add(name);
        ALICE.unlink(at(name));
      }
    }
    assertEquals(400, seen.size());
    assertEquals(List.of(), ALICE.names(here()));
  }

  @Test
  void whatStaysDuringTheScanComesOnce() {
    makeFiles(300);
    int fd = ALICE.open(here(), O_RDONLY);
    List<String> seen = new ArrayList<>();
    int round = 0;
    for (List<User.Entry> part; !(part = ALICE.getdents(fd, SMALL)).isEmpty(); round++) {
      seen.addAll(names(part));
      ALICE.mknod(at("new" + round), S_IFREG | 0644, 0);
      if (round > 0) {
        ALICE.unlink(at("new" + (round - 1)));
      }
    }
    List<String> stayed = seen.stream().filter(name -> name.startsWith("file")).toList();
    assertEquals(300, stayed.size());
    assertEquals(300, new TreeSet<>(stayed).size());
  }

  @Test
  void whatComesAndGoesIsSeenAfterARewind() {
    makeFiles(3);
    int fd = ALICE.open(here(), O_RDONLY);
    assertEquals(3, names(ALICE.restOfDirectory(fd)).size());
    ALICE.mknod(at("more"), S_IFREG | 0644, 0);
    ALICE.unlink(at("file0"));
    ALICE.rename(at("file1"), at("renamed"));
    ALICE.lseek(fd, 0, SEEK_SET);
    assertEquals(
        List.of("file2", "more", "renamed"),
        names(ALICE.restOfDirectory(fd)).stream().sorted().toList());
  }

  @Test
  void readingMovesAnOldAccessTimeOnly() {
    makeFiles(1);
    ROOT.utimens(here(), 1, 0, 2, 0);
    touches(here(), () -> ALICE.names(here()), Time.ATIME);
    touches(here(), () -> ALICE.names(here()));
  }

  @Test
  void isForDirectoriesThatMayBeRead() {
    makeFiles(1);
    int file = ALICE.open(at("file0"), O_RDONLY);
    refuses(ENOTDIR, () -> ALICE.getdents(file, 1000));
    ALICE.directory(at("d"), 0711);
    refuses(EACCES, () -> BOB.names(at("d")));
    ALICE.file(at("d/f"), 0644);
    BOB.open(at("d/f"), O_RDONLY);
    ALICE.chmod(at("d"), 0744);
    assertEquals(List.of("f"), BOB.names(at("d")));
    refuses(EACCES, () -> BOB.stat(at("d/f")));
  }

  @Test
  void longNamesAreWhole() {
    List<String> names = new ArrayList<>();
    for (char c = 'a'; c <= 'z'; c++) {
      names.add(String.valueOf(c).repeat(255));
      ALICE.mknod(at(names.get(names.size() - 1)), S_IFREG | 0644, 0);
    }
    assertEquals(names, ALICE.names(here()));
    assertTrue(ROOT.stat(here()).size() > 0);
  }
}
