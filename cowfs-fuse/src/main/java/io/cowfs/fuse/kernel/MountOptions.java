package io.cowfs.fuse.kernel;

import io.cowfs.core.vfs.AccessTimes;
import io.cowfs.fuse.operations.Synchrony;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * How to mount.
 *
 * @param source what {@code mount} and {@code df} show as the device, e.g. {@code pool/dataset}
 * @param flags the kernel's own flags, by their names in {@code mount -o}
 * @param allowOther other users than the one that mounts have access too (subject to permissions)
 * @param writeback the kernel collects small writes in its cache
 * @param nonEmpty the mount point may have entries, which are then hidden
 * @param userSnapshots every user may make, rename and remove directories where that changes the
 *     snapshots of the file system; for whoever makes the file system to obey
 * @param smallMemory whoever opens the pool is to take little memory
 */
public record MountOptions(
    String source,
    Set<Flag> flags,
    boolean allowOther,
    boolean writeback,
    boolean nonEmpty,
    boolean userSnapshots,
    boolean smallMemory) {

  /** Flags that the kernel itself obeys; the numbers are those of {@code mount(2)}. */
  public enum Flag {
    READ_ONLY("ro", "rw", 1),
    NO_SUID("nosuid", "suid", 2),
    NO_DEV("nodev", "dev", 4),
    NO_EXEC("noexec", "exec", 8),
    SYNC("sync", "async", 16),
    DIRSYNC("dirsync", "nodirsync", 128),
    NO_SYMLINKS("nosymfollow", "symfollow", 256),
    NO_ATIME("noatime", "atime", 1024),
    NO_DIRECTORY_ATIME("nodiratime", "diratime", 2048),
    STRICT_ATIME("strictatime", "nostrictatime", 1 << 24),
    LAZY_TIME("lazytime", "nolazytime", 1 << 25);

    private final String option;
    private final String opposite;
    private final long bit;

    Flag(String option, String opposite, long bit) {
      this.option = option;
      this.opposite = opposite;
      this.bit = bit;
    }

    /** Its name in {@code mount -o}. */
    public String option() {
      return option;
    }

    long bit() {
      return bit;
    }
  }

  /** What the kernel does without NO_ATIME and STRICT_ATIME, and has to be told in a remount. */
  private static final long RELATIME = 1 << 21;

  private static final long REMOUNT = 32;

  /** Of these two the last one counts. */
  private static final Set<Flag> EITHER_OR = Set.of(Flag.NO_ATIME, Flag.STRICT_ATIME);

  public MountOptions {
    flags = Set.copyOf(flags);
  }

  /** Writeback cache on; open to other users exactly when root mounts. */
  public static MountOptions defaults() {
    boolean root = LibC.Native.LIBC.geteuid() == 0;
    return new MountOptions("cowfs", Set.of(), root, true, false, false, false);
  }

  public MountOptions withSource(String newSource) {
    return new MountOptions(
        newSource, flags, allowOther, writeback, nonEmpty, userSnapshots, smallMemory);
  }

  /**
   * Parses the arguments of {@code -o}: each a list separated by commas. A later option overrules
   * an earlier one.
   *
   * @throws MountException naming an option that is not known
   */
  public static MountOptions parse(List<String> arguments) throws MountException {
    MountOptions options = defaults();
    for (String argument : arguments) {
      for (String option : argument.split(",", -1)) {
        options = options.with(option.trim());
      }
    }
    return options;
  }

  /** Whether {@link #parse} knows an option. */
  public static boolean isKnown(String option) {
    try {
      parse(List.of(option));
      return true;
    } catch (MountException e) {
      return false;
    }
  }

  /**
   * What a remount makes of these options. As for any file system, its flags are exactly those of
   * the arguments.
   *
   * @throws MountException naming an option that is not known, or cannot be changed
   */
  MountOptions remounted(List<String> arguments) throws MountException {
    MountOptions wanted = withFlags(Set.of());
    for (String argument : arguments) {
      for (String option : argument.split(",", -1)) {
        wanted = wanted.with(option.trim());
      }
    }
    requireSame("allow_other", allowOther, wanted.allowOther);
    requireSame("writeback", writeback, wanted.writeback);
    requireSame("usersnap", userSnapshots, wanted.userSnapshots);
    requireSame("memory", smallMemory, wanted.smallMemory);
    return wanted;
  }

  private static void requireSame(String option, boolean now, boolean wanted)
      throws MountException {
    if (now != wanted) {
      throw new MountException(
          "the mount option " + option + " cannot be changed by a remount: unmount first");
    }
  }

  private MountOptions withFlags(Set<Flag> changed) {
    return new MountOptions(
        source, changed, allowOther, writeback, nonEmpty, userSnapshots, smallMemory);
  }

  private MountOptions with(String option) throws MountException {
    for (Flag flag : Flag.values()) {
      if (option.equals(flag.option) || option.equals(flag.opposite)) {
        Set<Flag> changed = new LinkedHashSet<>(flags);
        if (option.equals(flag.option)) {
          if (EITHER_OR.contains(flag)) {
            changed.removeAll(EITHER_OR);
          }
          changed.add(flag);
        } else {
          changed.remove(flag);
        }
        return withFlags(changed);
      }
    }
    return switch (option) {
      // The last ones say what is so in any case.
      case "",
          "defaults",
          "default_permissions",
          "norelatime",
          "nomand",
          "noiversion",
          "silent",
          "loud" ->
          this;
      case "relatime" -> {
        Set<Flag> changed = new LinkedHashSet<>(flags);
        changed.removeAll(EITHER_OR);
        yield withFlags(changed);
      }
      case "allow_other" ->
          new MountOptions(source, flags, true, writeback, nonEmpty, userSnapshots, smallMemory);
      case "noallow_other" ->
          new MountOptions(source, flags, false, writeback, nonEmpty, userSnapshots, smallMemory);
      case "writeback=on" ->
          new MountOptions(source, flags, allowOther, true, nonEmpty, userSnapshots, smallMemory);
      case "writeback=off" ->
          new MountOptions(source, flags, allowOther, false, nonEmpty, userSnapshots, smallMemory);
      case "nonempty" ->
          new MountOptions(source, flags, allowOther, writeback, true, userSnapshots, smallMemory);
      case "usersnap" ->
          new MountOptions(source, flags, allowOther, writeback, nonEmpty, true, smallMemory);
      case "nousersnap" ->
          new MountOptions(source, flags, allowOther, writeback, nonEmpty, false, smallMemory);
      case "memory=small" ->
          new MountOptions(source, flags, allowOther, writeback, nonEmpty, userSnapshots, true);
      case "memory=normal" ->
          new MountOptions(source, flags, allowOther, writeback, nonEmpty, userSnapshots, false);
      default -> throw new MountException("unknown mount option: " + option);
    };
  }

  public boolean has(Flag flag) {
    return flags.contains(flag);
  }

  long kernelFlags() {
    long bits = 0;
    for (Flag flag : flags) {
      bits |= flag.bit();
    }
    return bits;
  }

  /** For a {@code mount(2)} that changes the flags of a mount to these. */
  long remountFlags() {
    boolean relatime = flags.stream().noneMatch(EITHER_OR::contains);
    return kernelFlags() | REMOUNT | (relatime ? RELATIME : 0);
  }

  /** Whether reading a file sets its time of access. */
  public AccessTimes accessTimesOfFiles() {
    if (has(Flag.READ_ONLY) || has(Flag.NO_ATIME)) {
      return AccessTimes.NEVER;
    }
    return has(Flag.STRICT_ATIME) ? AccessTimes.ALWAYS : AccessTimes.CONFIGURED;
  }

  /** Whether reading a directory sets its time of access. */
  public AccessTimes accessTimesOfDirectories() {
    return has(Flag.NO_DIRECTORY_ATIME) ? AccessTimes.NEVER : accessTimesOfFiles();
  }

  /** Which changes are durable before they are answered. */
  public Synchrony synchrony() {
    if (has(Flag.SYNC)) {
      return Synchrony.ALL;
    }
    return has(Flag.DIRSYNC) ? Synchrony.NAMES : Synchrony.NONE;
  }

  /** The options for {@code fusermount3}, without those that it does not know. */
  List<String> flagOptions() {
    List<String> names = new ArrayList<>();
    for (Flag flag : Flag.values()) {
      // These are obeyed here; the kernel would only show them.
      boolean ours = flag == Flag.STRICT_ATIME || flag == Flag.NO_DIRECTORY_ATIME;
      if (has(flag) && !ours) {
        names.add(flag.option());
      }
    }
    return names;
  }
}
