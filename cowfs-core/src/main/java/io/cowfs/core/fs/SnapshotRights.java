package io.cowfs.core.fs;

/** Who may take, destroy and rename snapshots in {@code .cowfs/snapshot}, beside root. */
public enum SnapshotRights {
  /** The owner of the dataset's root directory. */
  OWNER(0755),
  EVERYONE(0777);

  private final int mode;

  SnapshotRights(int mode) {
    this.mode = mode;
  }

  /** The permissions of the directory, by which the front end decides. */
  int mode() {
    return mode;
  }
}
