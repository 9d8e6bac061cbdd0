package io.cowfs.fuse.kernel;

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
 */
public record MountOptions(
    String source,
    Set<Flag> flags,
    boolean allowOther,
    boolean writeback,
    boolean nonEmpty,
    boolean userSnapshots) {

  /** Flags that the kernel itself obeys; the numbers are those of {@code mount(2)}. */
  public enum Flag {
    READ_ONLY("ro", "rw", 1),
    NO_SUID("nosuid", "suid", 2),
    NO_DEV("nodev", "dev", 4),
    NO_EXEC("noexec", "exec", 8),
    SYNC("sync", "async", 16),
    DIRSYNC("dirsync", "nodirsync", 128),
    NO_ATIME("noatime", "atime", 1024);

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

  public MountOptions {
    flags = Set.copyOf(flags);
  }

  /** Writeback cache on; open to other users exactly when root mounts. */
  public static MountOptions defaults() {
    boolean root = LibC.Native.LIBC.geteuid() == 0;
    return new MountOptions("cowfs", Set.of(), root, true, false, false);
  }

  public MountOptions withSource(String newSource) {
    return new MountOptions(newSource, flags, allowOther, writeback, nonEmpty, userSnapshots);
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

  private MountOptions with(String option) throws MountException {
    for (Flag flag : Flag.values()) {
      if (option.equals(flag.option) || option.equals(flag.opposite)) {
        Set<Flag> changed = new LinkedHashSet<>(flags);
        if (option.equals(flag.option)) {
          changed.add(flag);
        } else {
          changed.remove(flag);
        }
        return new MountOptions(source, changed, allowOther, writeback, nonEmpty, userSnapshots);
      }
    }
    return switch (option) {
      case "", "defaults", "default_permissions" -> this;
      case "allow_other" ->
          new MountOptions(source, flags, true, writeback, nonEmpty, userSnapshots);
      case "noallow_other" ->
          new MountOptions(source, flags, false, writeback, nonEmpty, userSnapshots);
      case "writeback=on" ->
          new MountOptions(source, flags, allowOther, true, nonEmpty, userSnapshots);
      case "writeback=off" ->
          new MountOptions(source, flags, allowOther, false, nonEmpty, userSnapshots);
      case "nonempty" ->
          new MountOptions(source, flags, allowOther, writeback, true, userSnapshots);
      case "usersnap" -> new MountOptions(source, flags, allowOther, writeback, nonEmpty, true);
      case "nousersnap" -> new MountOptions(source, flags, allowOther, writeback, nonEmpty, false);
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

  List<String> flagOptions() {
    List<String> names = new ArrayList<>();
    for (Flag flag : Flag.values()) {
      if (has(flag)) {
        names.add(flag.option());
      }
    }
    return names;
  }
}
