package io.cowfs.core.vfs;

/**
 * The caches of a front end (the kernel's inodes, pages and directory entries), told when the file
 * system changes other than through the front end, as a rollback does. Calls may block until the
 * front end's own requests are answered: never call while holding a lock that a request needs.
 */
public interface CacheInvalidator {
  /** Attributes and all cached pages of the inode are out of date. */
  void inodeChanged(long inode);

  /** Attributes of the inode are out of date, but neither its size nor its content. */
  void attributesChanged(long inode);

  /** What is cached for this name, also that it does not exist, is out of date. */
  void entryChanged(long parent, byte[] name);

  /**
   * A regular file that is open is another state of itself now, and changes to it come to nothing
   * until it is settled. The front end forgets what it has of it, unsaved changes too, and takes
   * over its attributes; at the moment from which on it knows them, it calls {@link
   * FileSystem#settled}.
   *
   * @return false when it cannot be brought to that: what is open must not be used any more
   */
  boolean settle(long inode);

  /** A front end without caches. */
  CacheInvalidator NONE =
      new CacheInvalidator() {
        @Override
        public void inodeChanged(long inode) {}

        @Override
        public void attributesChanged(long inode) {}

        @Override
        public void entryChanged(long parent, byte[] name) {}

        @Override
        public boolean settle(long inode) {
          return true;
        }
      };
}
