package io.cowfs.tools;

import io.cowfs.core.fs.SnapshotRights;
import io.cowfs.core.pool.Pool;
import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.core.vfs.RenameMode;
import io.cowfs.core.vfs.XattrMode;
import io.cowfs.fuse.kernel.Mount;
import io.cowfs.tools.command.MountsCommand;
import io.cowfs.tools.control.ControlRequest;
import io.cowfs.tools.control.ControlServer;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarInputStream;
import java.util.stream.Stream;

/**
 * Runs each common command once, on a pool of its own in a temporary directory, uses files there as
 * programs would through a mount, and loads what a daemon needs beyond that, so that the virtual
 * machine can list the classes (the launcher calls this after a build, with {@code
 * -XX:DumpLoadedClassList}, and makes an archive of them).
 */
public final class ArchiveTraining {
  private static final String CLASS_SUFFIX = ".class";

  /** More than a file keeps in one extent, and than goes to the log. */
  private static final int DATA_BYTES = 1 << 20;

  private static final int PIECES = 4;
  private static final int SMALL_BYTES = 4096;

  private ArchiveTraining() {}

  /** Trains and exits with 0, or prints why not and exits with 1. */
  public static void main(String[] arguments) throws IOException {
    for (Class<?> member : List.of(Main.class, Mount.class, Pool.class)) {
      loadAll(member);
    }
    Path directory = Files.createTempDirectory("cowfs-training");
    try {
      train(directory.toRealPath());
    } finally {
      deleteRecursively(directory);
    }
    System.exit(0);
  }

  /** Loads every class of the jar that has the class given. */
  private static void loadAll(Class<?> member) throws IOException {
    URL jar = member.getProtectionDomain().getCodeSource().getLocation();
    try (JarInputStream entries = new JarInputStream(jar.openStream())) {
      for (JarEntry entry = entries.getNextJarEntry();
          entry != null;
          entry = entries.getNextJarEntry()) {
        if (entry.getName().endsWith(CLASS_SUFFIX)) {
          load(entry.getName(), member.getClassLoader());
        }
      }
    }
  }

  private static void load(String entry, ClassLoader loader) {
    String name = entry.substring(0, entry.length() - CLASS_SUFFIX.length()).replace('/', '.');
    try {
      Class.forName(name, false, loader);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void train(Path directory) throws IOException {
    Path pool = directory.resolve("pool");
    run("init", pool.toString());
    run("snapshot", pool + "@local");
    run("list", pool.toString());
    ControlServer server =
        ControlServer.start(
            pool, (request, out, err) -> answer(request, directory, out), Duration.ofSeconds(10));
    try {
      run("list", "-H", "-p", pool.toString());
      run("snapshot", pool + "@remote");
      run("clone", pool + "@remote", pool + "/clone");
      run("rollback", pool + "@remote");
      run("sync", pool.toString());
      run("status", pool.toString());
    } finally {
      server.close();
    }
    try (Pool opened = Pool.open(pool)) {
      useFiles(opened.browsableFileSystem(Target.DEFAULT_DATASET, SnapshotRights.OWNER));
    } catch (FsException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * What is linked at the first call of a kind costs the first user of a mount a tenth of a second.
   */
  private static void useFiles(FileSystem files) throws FsException {
    long root = FileSystem.ROOT_INODE;
    files.status();
    files.makeDirectory(Caller.ROOT, root, name("directory"), 0755);
    long directory = files.lookup(root, name("directory")).inode();
    FileSystem.Created created =
        files.create(
            Caller.ROOT,
            directory,
            name("file"),
            0644,
            EnumSet.of(OpenFlags.READ, OpenFlags.WRITE));
    FileHandle file = created.handle();
    long inode = file.inode();
    ByteBuffer data = ByteBuffer.allocateDirect(DATA_BYTES);
    for (long offset = 0; offset < PIECES * DATA_BYTES; offset += DATA_BYTES) {
      files.write(Caller.ROOT, file, offset, data.clear(), true);
    }
    files.sync(Caller.ROOT, inode, true);
    files.write(Caller.ROOT, file, DATA_BYTES / 2, data.clear().limit(SMALL_BYTES), true);
    files.setAttributes(Caller.ROOT, inode, file, times());
    files.setXattr(inode, name("user.training"), new byte[1], XattrMode.CREATE_OR_REPLACE);
    files.getXattr(inode, name("user.training"));
    files.listXattrs(inode);
    files.sync(Caller.ROOT, inode, false);
    files.syncAll();
    files.read(file, 0, DATA_BYTES, data.clear());
    files.release(file);
    files.makeSymlink(Caller.ROOT, root, name("link"), name("directory/file"));
    files.readSymlink(files.lookup(root, name("link")).inode());
    files.rename(directory, name("file"), root, name("renamed"), RenameMode.REPLACE);
    FileHandle listing = files.openDirectory(root, OpenFlags.READ_ONLY);
    files.readDirectory(listing, 0, (entry, number, type, cookie) -> true);
    files.release(listing);
    FileHandle reader = files.open(inode, OpenFlags.READ_ONLY);
    files.read(reader, 0, DATA_BYTES, data.clear());
    files.release(reader);
    files.unlink(root, name("renamed"));
    files.forget(inode, 1);
    files.removeDirectory(root, name("directory"));
    files.syncAll();
  }

  private static AttributeChange times() {
    return new AttributeChange(
        null, null, null, null, null, AttributeChange.NOW, AttributeChange.NOW, false);
  }

  private static byte[] name(String name) {
    return name.getBytes(StandardCharsets.UTF_8);
  }

  /** Answers as a daemon would that has the pool mounted at the directory. */
  private static int answer(ControlRequest request, Path mountPoint, OutputStream out) {
    try {
      String verb = request.arguments().get(0);
      String text = verb.equals(MountsCommand.NAME) ? "root\0" + mountPoint + "\0" : "done\n";
      out.write(text.getBytes(StandardCharsets.UTF_8));
      return 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void run(String... arguments) {
    if (Main.run(arguments) != 0) {
      throw new IllegalStateException("failed: " + List.of(arguments));
    }
  }

  private static void deleteRecursively(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
