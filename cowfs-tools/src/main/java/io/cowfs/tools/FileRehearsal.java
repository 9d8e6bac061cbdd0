package io.cowfs.tools;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.Arrays;
import java.util.Random;

/** Uses files as the first programs on a mount do. Stateless. */
final class FileRehearsal {
  /** Neither kept in the tree nor in the log, and more than one extent. */
  private static final int DATA_BYTES = 4 << 20;

  private static final int SMALL_BYTES = 4096;

  private FileRehearsal() {}

  /** Leaves the directory without what it made. */
  static void run(Path root) throws IOException {
    Path directory = Files.createDirectory(root.resolve("directory"));
    Path file = directory.resolve("file");
    writeAndRead(file);
    useAttributes(file);
    Path link = Files.createSymbolicLink(directory.resolve("link"), file);
    Files.readSymbolicLink(link);
    Files.delete(Files.move(link, directory.resolve("renamed")));
    Files.delete(Files.createLink(link, file));
    try (DirectoryStream<Path> names = Files.newDirectoryStream(directory)) {
      names.forEach(name -> {});
    }
    Files.exists(directory.resolve("absent"));
    Files.getFileStore(file).getUsableSpace();
    Files.delete(file);
    Files.delete(directory);
  }

  private static void writeAndRead(Path file) throws IOException {
    ByteBuffer data = ByteBuffer.wrap(halfRandom());
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      channel.write(data);
      channel.force(true);
      channel.write(data.clear().limit(SMALL_BYTES), DATA_BYTES / 2);
      channel.force(false);
      channel.truncate(DATA_BYTES - 1);
      channel.read(data.clear(), 0);
    }
  }

  /** One half does not compress. */
  private static byte[] halfRandom() {
    byte[] half = new byte[DATA_BYTES / 2];
    new Random(1).nextBytes(half);
    return Arrays.copyOf(half, DATA_BYTES);
  }

  private static void useAttributes(Path file) throws IOException {
    Files.setLastModifiedTime(file, FileTime.fromMillis(0));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    UserDefinedFileAttributeView xattrs =
        Files.getFileAttributeView(file, UserDefinedFileAttributeView.class);
    xattrs.write("rehearsal", ByteBuffer.allocate(1));
    xattrs.list();
    xattrs.delete("rehearsal");
  }
}
