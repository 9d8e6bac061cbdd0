package io.cowfs.fuse.crash;

import io.cowfs.core.vfs.FileSystem;
import io.cowfs.fuse.memory.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** What is on the host's disk after some of the events. Not thread-safe. */
final class HostImage {
  private final Map<Long, MemoryFile> files = new HashMap<>();
  private final Map<Long, TreeMap<String, Long>> directories = new HashMap<>();

  HostImage() {
    directories.put(FileSystem.ROOT_INODE, new TreeMap<>());
  }

  HostImage copy() {
    HostImage copy = new HostImage();
    files.forEach((inode, file) -> copy.files.put(inode, file.copy()));
    directories.forEach((inode, names) -> copy.directories.put(inode, new TreeMap<>(names)));
    return copy;
  }

  private MemoryFile file(long inode) {
    return files.computeIfAbsent(inode, made -> new MemoryFile());
  }

  private TreeMap<String, Long> directory(long inode) {
    return directories.computeIfAbsent(inode, made -> new TreeMap<>());
  }

  void apply(HostEvent event) {
    if (event instanceof HostEvent.Write write) {
      file(write.inode()).write(write.offset(), ByteBuffer.wrap(write.bytes()));
    } else if (event instanceof HostEvent.Truncate truncate) {
      file(truncate.inode()).truncate(truncate.size());
    } else if (event instanceof HostEvent.Allocate allocate) {
      apply(allocate);
    } else if (event instanceof HostEvent.Make make) {
      directory(make.directory()).put(make.name(), make.inode());
      if (make.isDirectory()) {
        directory(make.inode());
      } else {
        file(make.inode());
      }
    } else if (event instanceof HostEvent.Link link) {
      directory(link.directory()).put(link.name(), link.inode());
    } else if (event instanceof HostEvent.Remove remove) {
      directory(remove.directory()).remove(remove.name());
    } else if (event instanceof HostEvent.Rename rename) {
      Long moved = directory(rename.from()).remove(rename.name());
      if (moved != null) {
        directory(rename.directory()).put(rename.newName(), moved);
      }
    }
  }

  private void apply(HostEvent.Allocate allocate) {
    MemoryFile file = file(allocate.inode());
    long end = allocate.offset() + allocate.length();
    switch (allocate.mode()) {
      case RESERVE -> file.extend(end);
      case RESERVE_KEEP_SIZE -> {}
      case PUNCH_HOLE, ZERO_RANGE_KEEP_SIZE -> file.zero(allocate.offset(), allocate.length());
      case ZERO_RANGE -> {
        file.extend(end);
        file.zero(allocate.offset(), allocate.length());
      }
    }
  }

  /** Makes the files of the root, and of what is below it, in an empty directory. */
  void writeTo(Path target) throws IOException {
    writeTo(target, FileSystem.ROOT_INODE);
  }

  private void writeTo(Path target, long inode) throws IOException {
    for (Map.Entry<String, Long> entry : directory(inode).entrySet()) {
      Path path = target.resolve(entry.getKey());
      if (directories.containsKey(entry.getValue())) {
        Files.createDirectory(
            path,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        writeTo(path, entry.getValue());
      } else {
        try (FileChannel channel =
            FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
          file(entry.getValue()).writeTo(channel);
        }
      }
    }
  }
}
