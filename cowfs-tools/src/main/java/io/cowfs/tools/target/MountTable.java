package io.cowfs.tools.target;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The mounts that this process sees, as the kernel lists them in {@code /proc/self/mountinfo}
 * (proc_pid_mountinfo(5)). Immutable. Reading it touches no mounted file system, so a dead mount
 * cannot hang it.
 */
public final class MountTable {
  /** The type of a cowfs mount: FUSE with a subtype. */
  public static final String TYPE = "fuse.cowfs";

  private static final int FIELD_MOUNT_POINT = 4;
  private static final int FIELD_OPTIONAL = 6;

  private record Entry(String type, String source) {}

  private final Map<Path, Entry> entries;

  private MountTable(Map<Path, Entry> entries) {
    this.entries = entries;
  }

  /** The mounts at this moment. */
  public static MountTable read() throws IOException {
    return parse(Files.readAllLines(Path.of("/proc/self/mountinfo"), StandardCharsets.ISO_8859_1));
  }

  /** Parses the lines of mountinfo, each byte a character. Lines that make no sense are skipped. */
  static MountTable parse(List<String> lines) {
    Map<Path, Entry> entries = new LinkedHashMap<>();
    for (String line : lines) {
      String[] fields = line.split(" ", -1);
      int separator = FIELD_OPTIONAL;
      while (separator < fields.length && !fields[separator].equals("-")) {
        separator++;
      }
      if (separator + 2 < fields.length) {
        // A later mount at the same point covers the earlier one.
        entries.put(
            Path.of(unescape(fields[FIELD_MOUNT_POINT])),
            new Entry(fields[separator + 1], unescape(fields[separator + 2])));
      }
    }
    return new MountTable(entries);
  }

  /** Whether something, of whatever type, is mounted at this path. */
  public boolean isMountPoint(Path path) {
    return entries.containsKey(path);
  }

  /** Whether cowfs is mounted at this path. */
  public boolean isCowfs(Path path) {
    Entry entry = entries.get(path);
    return entry != null && entry.type().equals(TYPE);
  }

  /** The closest cowfs mount point at or above the path, if that is what the path lies on. */
  public Optional<Path> cowfsBelow(Path path) {
    for (Path p = path; p != null; p = p.getParent()) {
      if (entries.containsKey(p)) {
        return isCowfs(p) ? Optional.of(p) : Optional.empty();
      }
    }
    return Optional.empty();
  }

  /** What the kernel shows as the source of the mount at this path. */
  String source(Path mountPoint) {
    return entries.get(mountPoint).source();
  }

  /**
   * The cowfs mount at a path. Its source is {@code POOL/DATASET}, of which the longest prefix that
   * is a pool is the pool.
   */
  public Optional<CowfsMount> cowfsAt(Path mountPoint, Predicate<Path> isPool) {
    if (!isCowfs(mountPoint)) {
      return Optional.empty();
    }
    String source = source(mountPoint);
    for (int cut = source.lastIndexOf('/'); cut > 0; cut = source.lastIndexOf('/', cut - 1)) {
      Path pool = Path.of(source.substring(0, cut));
      if (cut + 1 < source.length() && isPool.test(pool)) {
        return Optional.of(new CowfsMount(mountPoint, pool, source.substring(cut + 1)));
      }
    }
    return Optional.empty();
  }

  /** The cowfs mounts of a pool. */
  public List<CowfsMount> cowfsOf(Path pool, Predicate<Path> isPool) {
    return entries.keySet().stream()
        .flatMap(path -> cowfsAt(path, isPool).stream())
        .filter(mount -> mount.pool().equals(pool))
        .toList();
  }

  /** Undoes the octal escapes of blanks, tabs, newlines and backslashes. */
  private static String unescape(String field) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(field.length());
    for (int i = 0; i < field.length(); i++) {
      char c = field.charAt(i);
      if (c == '\\' && i + 3 < field.length() && isOctal(field, i + 1)) {
        bytes.write(Integer.parseInt(field.substring(i + 1, i + 4), 8));
        i += 3;
      } else {
        bytes.write(c);
      }
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private static boolean isOctal(String field, int start) {
    for (int i = start; i < start + 3; i++) {
      if (field.charAt(i) < '0' || field.charAt(i) > '7') {
        return false;
      }
    }
    return true;
  }
}
