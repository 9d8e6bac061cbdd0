package io.cowfs.fuse.crash;

import io.cowfs.core.vfs.FileSystem.AllocationMode;

/**
 * What a process asked the host's file system to change, or to make durable. Inodes are its own.
 */
sealed interface HostEvent {
  /** A change of what a file holds; durable once the file is synced. */
  sealed interface OfContent extends HostEvent {
    long inode();
  }

  /** A change of names; durable once the directory is synced. */
  sealed interface OfNames extends HostEvent {
    /** The one that decides. */
    long directory();
  }

  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Write(long inode, long offset, byte[] bytes) implements OfContent {}

  record Truncate(long inode, long size) implements OfContent {}

  record Allocate(long inode, AllocationMode mode, long offset, long length) implements OfContent {}

  record Make(long directory, String name, long inode, boolean isDirectory) implements OfNames {}

  record Link(long directory, String name, long inode) implements OfNames {}

  record Remove(long directory, String name) implements OfNames {}

  record Rename(long from, String name, long directory, String newName) implements OfNames {}

  /** fsync(2) or fdatasync(2) of a file or a directory. */
  record Sync(long inode) implements HostEvent {}

  /** syncfs(2). */
  record SyncAll() implements HostEvent {}

  /**
   * The test began a step, or was told that one is durable.
   *
   * @param durable at the end of the step; else at its beginning
   */
  record Mark(int step, boolean durable) implements HostEvent {}
}
