package io.cowfs.core.vfs;

/**
 * The caches of a front end (the kernel's inodes, pages and directory entries), told when the file
 * system changes other than through the front end, as a rollback does. Calls may block until the
 * front end's own requests are answered: never call while holding a lock that a request needs.
 */
public interface CacheInvalidator {
  /** Attributes and all cached pages of the inode are out of date. */
  void inodeChanged(long inode);

  /** What is cached for this name, also that it does not exist, is out of date. */
  void entryChanged(long parent, byte[] name);

  /** A front end without caches. */
  CacheInvalidator NONE =
      new CacheInvalidator() {
        @Override
        public void inodeChanged(long inode) {}

        @Override
        public void entryChanged(long parent, byte[] name) {}
      };
}
