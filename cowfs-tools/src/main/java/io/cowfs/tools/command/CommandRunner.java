package io.cowfs.tools.command;

import java.io.IOException;

/** Runs commands on the pool that their targets name, wherever that pool is open. */
public interface CommandRunner {
  /** Creates a pool. */
  int init(InitCommand command) throws IOException;

  /** Brings a pool back to an older commit. */
  int rewind(RewindCommand command) throws IOException;

  /**
   * Runs a command.
   *
   * @return its exit code
   */
  int run(PoolCommand command) throws IOException;

  /** Mounts: by the daemon of the pool, or by a new one. */
  int mount(MountCommand command) throws IOException;

  /**
   * Mounts, or changes a mount, for mount(8). What is mounted there already counts as done.
   *
   * @return 0 when it is done
   */
  int mountForSystem(MountHelperCommand helper) throws IOException;

  /** Unmounts, also what a daemon that died left behind. */
  int unmount(UmountCommand command) throws IOException;
}
