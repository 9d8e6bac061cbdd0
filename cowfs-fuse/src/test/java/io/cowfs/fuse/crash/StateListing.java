package io.cowfs.fuse.crash;

import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * All that programs can tell of a dataset and its snapshots, times apart: by path, in words. The
 * same for what the kernel shows and for what is found in the pool without it.
 */
final class StateListing {
  private static final String SNAPSHOTS = ".cowfs/snapshot";
  private static final String USER = "user.";

  private StateListing() {}

  /** As the mount shows it. */
  static Map<String, String> ofMount(Path root) throws IOException {
    Map<String, String> listing = new TreeMap<>();
    add(listing, "", root);
    add(listing, SNAPSHOTS + "/", root.resolve(SNAPSHOTS));
    return listing;
  }

  private static void add(Map<String, String> listing, String prefix, Path directory)
      throws IOException {
    List<Path> children;
    try (Stream<Path> list = Files.list(directory)) {
      children = list.toList();
    }
    for (Path child : children) {
      String path = prefix + child.getFileName();
      Map<String, Object> stat =
          Files.readAttributes(child, "unix:mode,nlink,size", LinkOption.NOFOLLOW_LINKS);
      int mode = (Integer) stat.get("mode");
      int links = (Integer) stat.get("nlink");
      if (Files.isDirectory(child, LinkOption.NOFOLLOW_LINKS)) {
        listing.put(path, words(mode, links, "directory"));
        add(listing, path + "/", child);
      } else if (Files.isSymbolicLink(child)) {
        listing.put(path, words(mode, links, "-> " + Files.readSymbolicLink(child)));
      } else {
        byte[] content = Files.readAllBytes(child);
        listing.put(path, words(mode, links, content(content) + xattrs(child)));
      }
    }
  }

  private static String xattrs(Path file) throws IOException {
    UserDefinedFileAttributeView view =
        Files.getFileAttributeView(file, UserDefinedFileAttributeView.class);
    Map<String, String> xattrs = new TreeMap<>();
    for (String name : view.list()) {
      ByteBuffer value = ByteBuffer.allocate(view.size(name));
      view.read(name, value);
      xattrs.put(name, new String(value.array(), StandardCharsets.UTF_8));
    }
    return xattrs.toString();
  }

  /** As the pool has it. Reads everything. */
  static Map<String, String> ofPool(FileSystem fileSystem) throws FsException {
    Map<String, String> listing = new TreeMap<>();
    add(listing, "", fileSystem, FileSystem.ROOT_INODE);
    long at = FileSystem.ROOT_INODE;
    for (String name : SNAPSHOTS.split("/", -1)) {
      at = fileSystem.lookup(at, name.getBytes(StandardCharsets.UTF_8)).inode();
    }
    add(listing, SNAPSHOTS + "/", fileSystem, at);
    return listing;
  }

  private static void add(
      Map<String, String> listing, String prefix, FileSystem fileSystem, long directory)
      throws FsException {
    List<byte[]> names = new ArrayList<>();
    FileHandle handle = fileSystem.openDirectory(directory, Set.of());
    fileSystem.readDirectory(handle, 2, (name, inode, type, cookie) -> names.add(name));
    fileSystem.release(handle);
    for (byte[] name : names) {
      String path = prefix + new String(name, StandardCharsets.UTF_8);
      if (path.endsWith("/.") || path.endsWith("/..") || path.equals(".") || path.equals("..")) {
        continue;
      }
      Attributes found = fileSystem.lookup(directory, name);
      if (found.isDirectory()) {
        listing.put(path, words(found.mode(), found.nlink(), "directory"));
        add(listing, path + "/", fileSystem, found.inode());
      } else if (found.isRegular()) {
        String content = content(read(fileSystem, found)) + xattrs(fileSystem, found.inode());
        listing.put(path, words(found.mode(), found.nlink(), content));
      } else {
        byte[] target = fileSystem.readSymlink(found.inode());
        String text = "-> " + new String(target, StandardCharsets.UTF_8);
        listing.put(path, words(found.mode(), found.nlink(), text));
      }
      fileSystem.forget(found.inode(), 1);
    }
  }

  private static byte[] read(FileSystem fileSystem, Attributes file) throws FsException {
    ByteBuffer content = ByteBuffer.allocate((int) file.size());
    FileHandle handle = fileSystem.open(file.inode(), Set.of());
    fileSystem.read(handle, 0, content.capacity(), content);
    fileSystem.release(handle);
    return content.array();
  }

  private static String xattrs(FileSystem fileSystem, long inode) throws FsException {
    Map<String, String> xattrs = new TreeMap<>();
    String names = new String(fileSystem.listXattrs(inode), StandardCharsets.UTF_8);
    for (String name : names.split("\0", -1)) {
      if (name.startsWith(USER)) {
        byte[] value = fileSystem.getXattr(inode, name.getBytes(StandardCharsets.UTF_8));
        xattrs.put(name.substring(USER.length()), new String(value, StandardCharsets.UTF_8));
      }
    }
    return xattrs.toString();
  }

  private static String content(byte[] bytes) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes);
    return bytes.length + " bytes, " + Long.toHexString(checksum.getValue()) + " ";
  }

  private static String words(int mode, int links, String rest) {
    return Integer.toOctalString(mode) + " " + links + " " + rest;
  }
}
