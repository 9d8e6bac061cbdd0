package io.cowfs.tools.command;

import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.pool.ChangeVisitor;
import io.cowfs.core.pool.Defragmenter;
import io.cowfs.core.pool.Fragmentation;
import io.cowfs.core.pool.PoolAdministration;
import io.cowfs.core.pool.PoolMirror;
import io.cowfs.core.pool.PoolStatus;
import io.cowfs.core.scrub.Scrub;
import io.cowfs.fuse.kernel.Transport;
import io.cowfs.tools.target.CowfsMount;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * An open pool, as the commands use it: either opened by this process for one command, or by the
 * daemon that has it mounted. Thread-safe. Every error is one line fit for the user, and nothing
 * was changed then.
 */
public interface PoolSession {
  /** What to do about a dataset to mount that is not there. */
  enum IfMissing {
    FAIL,
    CREATE
  }

  /**
   * A dataset to mount.
   *
   * @param mountPoint absolute, without symbolic links
   * @param options the arguments of -o
   */
  record MountRequest(
      String dataset,
      Path mountPoint,
      Transport transport,
      List<String> options,
      IfMissing ifMissing) {}

  List<DatasetInfo> list() throws IOException;

  /** The operations on datasets and snapshots. */
  PoolAdministration administration();

  /**
   * Reads everything and compares it with the books.
   *
   * @return the findings, one line each; empty when all is well
   */
  List<String> check() throws IOException;

  /** The devices, and the commands that change them. */
  PoolMirror mirror();

  /** The running or last scrub. */
  Scrub scrub();

  /**
   * Tells what changed between two states of a dataset; see {@link
   * io.cowfs.core.pool.Pool#diff(String, String, String, ChangeVisitor)}.
   *
   * @param from a snapshot, or null for what the dataset is now
   * @param to a snapshot, or null for what the dataset is now
   */
  void diff(String dataset, String from, String to, ChangeVisitor visitor) throws IOException;

  /**
   * Tells how files lie on the device; see {@link io.cowfs.core.pool.Pool#fragmentation(String,
   * byte[])}.
   *
   * @param dataset null for all datasets
   */
  Fragmentation fragmentation(String dataset, byte[] path) throws IOException;

  /** Puts the extents of files together. */
  Defragmenter defragmenter();

  void sync() throws IOException;

  PoolStatus status() throws IOException;

  /** What is mounted, by mount point. */
  List<CowfsMount> mounts();

  /** Who speaks the kernel's protocol for one of {@link #mounts}. */
  Transport transport(CowfsMount mount);

  /** Mounts; returns when the mount is live. */
  void mount(MountRequest request) throws IOException;

  /** The two halves of a remount, around what the kernel does. */
  enum RemountStep {
    /** Only checks the options. */
    CHECK,
    /** Takes them over, and commits when the mount is read-only now. */
    ADOPT
  }

  /**
   * Changes the options of a mount, as far as they are not the kernel's own affair.
   *
   * @param options the arguments of -o
   */
  void remount(String dataset, List<String> options, RemountStep step) throws IOException;

  /**
   * Unmounts. Where that was the last mount, waits until the pool is closed with everything
   * committed.
   */
  void unmount(List<CowfsMount> mounts) throws IOException;
}
