package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A mounted dataset of a pool that other tests use before and after. Owned by one test. */
final class MountedDataset implements AutoCloseable {
  private final MountedPool pool;
  private final String name;
  private final Path root;

  /** Mounts a dataset of a mounted pool. */
  MountedDataset(MountedPool pool, String name, Path root) throws IOException {
    this.pool = pool;
    this.name = name;
    this.root = root;
    mount();
  }

  /** Its name in the pool. */
  String name() {
    return name;
  }

  /** The directory that holds the pool's files. */
  Path pool() {
    return pool.pool();
  }

  /** The mount point. */
  Path root() {
    return root;
  }

  Path path(String file) {
    return root.resolve(file);
  }

  /** As {@link MountedPool#succeed}. */
  String succeed(String... arguments) throws IOException {
    return pool.succeed(arguments);
  }

  /** Mounts the dataset with options. */
  void mount(String... options) throws IOException {
    List<String> arguments = new ArrayList<>(List.of("mount"));
    arguments.addAll(List.of(options));
    arguments.addAll(List.of(pool.pool() + "/" + name, root.toString()));
    succeed(arguments.toArray(String[]::new));
    assertTrue(isMounted(), "mount came back before the mount was there");
  }

  /** Unmounts the dataset; the pool's process goes on. */
  void unmount() throws IOException {
    succeed("umount", root.toString());
    assertFalse(isMounted(), "still mounted after umount");
  }

  /** Unmounts all of the pool, so that its process ends, and mounts it again: by a new process. */
  void remount() throws IOException {
    unmount();
    pool.remount();
    mount();
  }

  private boolean isMounted() throws IOException {
    return MountedPool.isMounted(root);
  }

  /** Unmounts the dataset; by force where the command fails, which then is the failure. */
  @Override
  public void close() throws IOException {
    if (!isMounted()) {
      return;
    }
    Program.Result result = Client.run("umount", root.toString());
    for (int tries = 0; isMounted() && tries < 10; tries++) {
      Program.run(Path.of("/"), List.of("umount", "-l", root.toString()));
    }
    result.expectExit(0);
  }
}
