package io.cowfs.fuse.operations;

/** What the kernel must write back before a request can be answered. */
public enum FlushFirst {
  NOTHING,
  /** What it holds of the request's inode. */
  INODE,
  /** What it holds of any file. */
  ALL
}
