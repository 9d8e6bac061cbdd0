package io.cowfs.core.vfs;

/**
 * A request to change attributes; a null field stays as it is.
 *
 * @param mode permission bits (07777); the type cannot change
 * @param atime the new access time; {@link #NOW} means the time of the change
 * @param mtime the new modification time; {@link #NOW} likewise
 * @param ctime set only by a kernel that owns times (writeback cache), else null
 * @param killPrivileges clear suid, and sgid where the group may execute, as write(2), truncate(2)
 *     and chown(2) by an unprivileged caller do
 */
public record AttributeChange(
    Integer mode,
    Integer uid,
    Integer gid,
    Long size,
    Timestamp atime,
    Timestamp mtime,
    Timestamp ctime,
    boolean killPrivileges) {

  /** Stands for the time at which the change is made; no real time equals it. */
  public static final Timestamp NOW = new Timestamp(0, -1);
}
