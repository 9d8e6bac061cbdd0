package io.cowfs.fuse.kernel;

import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.CacheInvalidator;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FsException;
import io.cowfs.fuse.memory.MemoryFileSystem;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/**
 * A process of its own that mounts a file system with the file {@code f} and says {@code mounted}.
 * After its first line of input it says {@code stuck} and answers few requests any more; it says
 * {@code asked} at the first that gets no answer. At the second line it does something in its own
 * kernel that waits for such an answer. It ends by SIGKILL.
 */
final class StuckDaemon extends MemoryFileSystem {
  /** What the daemon does in its own kernel. */
  enum Act {
    SETTLE_FILE,
    FLUSH_FILES,
    DROP_PAGES,
    DROP_NAME
  }

  private volatile CacheInvalidator kernel;
  private volatile boolean stuck;
  private final AtomicBoolean asked = new AtomicBoolean();

  private StuckDaemon() {}

  public static void main(String[] arguments) throws Exception {
    StuckDaemon fileSystem = new StuckDaemon();
    byte[] name = {'f'};
    Attributes file = fileSystem.create(Caller.ROOT, ROOT_INODE, name, 0600, Set.of()).attributes();
    MountOptions options = MountOptions.parse(List.of("")).withSource("stuck");
    KernelMount mount = KernelMount.mount(fileSystem, Path.of(arguments[0]), options);
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    System.out.println("mounted");
    input.readLine();
    fileSystem.stuck = true;
    System.out.println("stuck");
    input.readLine();
    switch (Act.valueOf(arguments[1])) {
      case SETTLE_FILE -> fileSystem.kernel.settle(file.inode());
      case FLUSH_FILES -> mount.flush();
      case DROP_PAGES -> fileSystem.kernel.inodeChanged(file.inode());
      case DROP_NAME -> fileSystem.kernel.entryChanged(ROOT_INODE, name);
    }
    System.out.println("came back");
  }

  private void answer() {
    if (stuck && !asked.getAndSet(true)) {
      System.out.println("asked");
    }
    while (stuck) {
      LockSupport.park();
    }
  }

  @Override
  public void setCacheInvalidator(CacheInvalidator invalidator) {
    kernel = invalidator;
  }

  @Override
  public Attributes lookup(long parent, byte[] name) throws FsException {
    answer();
    return super.lookup(parent, name);
  }

  @Override
  public Attributes setAttributes(
      Caller caller, long inode, FileHandle handle, AttributeChange change) throws FsException {
    answer();
    return super.setAttributes(caller, inode, handle, change);
  }

  @Override
  public int read(FileHandle handle, long offset, int length, ByteBuffer destination)
      throws FsException {
    answer();
    return super.read(handle, offset, length, destination);
  }

  @Override
  public void write(
      Caller caller, FileHandle handle, long offset, ByteBuffer source, boolean killPrivileges)
      throws FsException {
    answer();
    super.write(caller, handle, offset, source, killPrivileges);
  }
}
