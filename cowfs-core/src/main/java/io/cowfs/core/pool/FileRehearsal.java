package io.cowfs.core.pool;

import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.core.vfs.RenameMode;
import io.cowfs.core.vfs.XattrMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;

/**
 * Uses files as the first programs on a mount do, so that a virtual machine that lists its classes
 * meanwhile knows what is linked then: at the first call of each kind, a millisecond for each of
 * dozens of lambdas. Stateless.
 */
public final class FileRehearsal {
  /** Neither kept in the tree nor in the log, and more than one extent. */
  private static final int DATA_BYTES = 1 << 20;

  /** Together they fill more than one buffer of those that write. */
  private static final int PIECES = 4;

  private static final int SMALL_BYTES = 4096;

  private FileRehearsal() {}

  /**
   * Leaves the file system without what it made.
   *
   * @param files of a pool that nobody else uses
   */
  public static void run(FileSystem files) throws IOException {
    try {
      long root = FileSystem.ROOT_INODE;
      byte[] directory = name("directory");
      files.status();
      long inode = files.makeDirectory(Caller.ROOT, root, directory, 0755).inode();
      writeAndRead(files, inode);
      useNames(files, inode);
      files.removeDirectory(root, directory);
      files.forget(inode, 1);
      files.syncAll();
    } catch (FsException e) {
      throw new IOException(e);
    }
  }

  private static void writeAndRead(FileSystem files, long directory) throws FsException {
    byte[] name = name("file");
    byte[] xattr = name("user.rehearsal");
    EnumSet<OpenFlags> flags = EnumSet.of(OpenFlags.READ, OpenFlags.WRITE);
    FileHandle file = files.create(Caller.ROOT, directory, name, 0644, flags).handle();
    long inode = file.inode();
    ByteBuffer data = ByteBuffer.allocateDirect(DATA_BYTES);
    for (int i = 0; i < PIECES; i++) {
      files.write(Caller.ROOT, file, (long) i * DATA_BYTES, data.clear(), true);
    }
    files.syncAll();
    files.write(Caller.ROOT, file, DATA_BYTES / 2, data.clear().limit(SMALL_BYTES), true);
    files.sync(Caller.ROOT, inode, true);
    files.setAttributes(Caller.ROOT, inode, file, timesAreNow());
    files.setXattr(inode, xattr, new byte[1], XattrMode.CREATE_OR_REPLACE);
    files.getXattr(inode, xattr);
    files.listXattrs(inode);
    files.sync(Caller.ROOT, inode, false);
    files.syncAll();
    files.release(file);
    FileHandle reader = files.open(inode, OpenFlags.READ_ONLY);
    files.read(reader, 0, DATA_BYTES, data.clear());
    files.release(reader);
    files.unlink(directory, name);
    files.forget(inode, 1);
  }

  private static void useNames(FileSystem files, long directory) throws FsException {
    byte[] name = name("link");
    byte[] renamed = name("renamed");
    long link = files.makeSymlink(Caller.ROOT, directory, name, name("target")).inode();
    files.readSymlink(link);
    files.rename(directory, name, directory, renamed, RenameMode.REPLACE);
    files.lookup(directory, renamed);
    FileHandle listing = files.openDirectory(directory, OpenFlags.READ_ONLY);
    files.readDirectory(listing, 0, (entry, inode, type, cookie) -> true);
    files.release(listing);
    files.unlink(directory, renamed);
    files.forget(link, 2);
  }

  private static AttributeChange timesAreNow() {
    return new AttributeChange(
        null, null, null, null, null, AttributeChange.NOW, AttributeChange.NOW, false);
  }

  private static byte[] name(String name) {
    return name.getBytes(StandardCharsets.UTF_8);
  }
}
