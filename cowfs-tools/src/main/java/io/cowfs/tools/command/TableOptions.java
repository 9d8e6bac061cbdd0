package io.cowfs.tools.command;

import io.cowfs.fuse.kernel.MountException;
import io.cowfs.fuse.kernel.MountOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The options of an entry in fstab(5), as mount(8) hands them to a helper: those of the file
 * system, among others that are for mount itself, for systemd, or for people.
 *
 * @param own those of the file system
 * @param remount whether a mount is changed that is there
 */
record TableOptions(List<String> own, boolean remount) {
  /** For mount(8), which has acted on them by then. */
  private static final Set<String> OF_MOUNT =
      Set.of(
          "auto", "noauto", "user", "nouser", "users", "nousers", "owner", "noowner", "group",
          "nogroup", "nofail", "_netdev");

  private static final List<String> COMMENTS =
      List.of("x-", "X-", "comment=", "user=", "helper=", "uhelper=");

  /** What the kernel shows of a mount, and mount(8) therefore repeats when it changes it. */
  private static final List<String> SHOWN = List.of("user_id=", "group_id=", "max_read=");

  private static final String REMOUNT = "remount";

  /** What to do about an option that nobody knows. */
  enum Unknown {
    REFUSE,
    IGNORE
  }

  /**
   * Sorts options.
   *
   * @param given the arguments of -o, without commas
   * @throws MountException naming an option that is not known
   */
  static TableOptions of(List<String> given, Unknown unknown) throws MountException {
    boolean remount = given.contains(REMOUNT);
    List<String> own = new ArrayList<>();
    for (String option : given) {
      boolean others =
          option.equals(REMOUNT)
              || OF_MOUNT.contains(option)
              || startsWithOneOf(option, COMMENTS)
              || (remount && startsWithOneOf(option, SHOWN));
      if (!others && (unknown == Unknown.REFUSE || MountOptions.isKnown(option))) {
        own.add(option);
      }
    }
    // Refused here and now: mounting may be only feigned.
    MountOptions.parse(own);
    return new TableOptions(List.copyOf(own), remount);
  }

  private static boolean startsWithOneOf(String option, List<String> prefixes) {
    return prefixes.stream().anyMatch(option::startsWith);
  }
}
