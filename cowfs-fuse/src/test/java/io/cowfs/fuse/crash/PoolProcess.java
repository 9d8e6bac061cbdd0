package io.cowfs.fuse.crash;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.fs.SnapshotRights;
import io.cowfs.core.pool.Pool;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.fuse.kernel.KernelMount;
import io.cowfs.fuse.kernel.MountOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A process that makes a pool, mounts it, and then obeys the lines of its standard input, each of
 * which it answers with one: {@code rollback SNAPSHOT} and {@code sync}. It ends with its input.
 */
public final class PoolProcess {
  static final String DATASET = "root";

  private PoolProcess() {}

  /** Arguments: the pool's directory, the mount point. */
  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments[0]);
    Pool.create(directory, new Pool.CreateOptions(0, CompressionSetting.LZ4, null));
    try (Pool pool = Pool.open(directory)) {
      FileSystem fileSystem = pool.browsableFileSystem(DATASET, SnapshotRights.OWNER);
      KernelMount mount =
          KernelMount.mount(fileSystem, Path.of(arguments[1]), MountOptions.defaults());
      pool.startHousekeeping(mount::flush);
      BufferedReader lines =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      System.out.println("mounted");
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] words = line.split(" ", -1);
        mount.flush();
        if (words[0].equals("sync")) {
          pool.sync();
        } else {
          pool.administration().rollback(DATASET, words[1]);
        }
        System.out.println("done");
      }
      mount.unmountBusy();
    }
  }
}
