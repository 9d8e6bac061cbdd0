package io.cowfs.core.fs;

import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.dataset.DatasetException.Reason;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Goes through the regular files at and below a path, each once, however many names it has. Belongs
 * to one thread. In a tree that changes meanwhile, what comes, goes or moves may be met or not.
 */
final class FileWalk {
  /**
   * A regular file.
   *
   * @param inode its attributes, in an object of its own
   * @param path from the root of the dataset, without a slash before it
   */
  record Found(Inode inode, byte[] path) {}

  private record Directory(long inode, byte[] path) {}

  private final ItemSource tree;
  private final Deque<Directory> directories = new ArrayDeque<>();

  /** Directories have one name each, in a tree that is not damaged. */
  private final Set<Long> entered = new HashSet<>();

  /** Files with several names that were met. */
  private final Set<Long> met = new HashSet<>();

  /** A path that leads to a file; null when it is passed, or leads to a directory. */
  private Found single;

  private Directory current;
  private ItemCursor entries;

  /**
   * @param path relative to the root of the dataset; none of it is all of the dataset
   * @throws DatasetException INVALID_NAME, NAME_TOO_LONG; NOT_FOUND when there is no file or
   *     directory of this path
   */
  FileWalk(ItemSource tree, byte[] path) throws IOException {
    this.tree = tree;
    List<byte[]> names = PathRestore.parse(path);
    long at = FileSystem.ROOT_INODE;
    FileType type = FileType.DIRECTORY;
    byte[] text = new byte[0];
    for (byte[] name : names) {
      NameFormat.Entry entry = type == FileType.DIRECTORY ? tree.entry(at, name) : null;
      text = below(text, name);
      if (entry == null) {
        throw new DatasetException(
            Reason.NOT_FOUND,
            "there is no '%s' in the dataset".formatted(new String(text, StandardCharsets.UTF_8)));
      }
      at = entry.inode();
      type = entry.type();
    }
    if (type == FileType.DIRECTORY) {
      directories.add(new Directory(at, text));
    } else if (type == FileType.REGULAR) {
      single = new Found(requireInode(at), text);
    } else {
      throw new DatasetException(
          Reason.NOT_FOUND,
          "'%s' is neither a file nor a directory"
              .formatted(new String(text, StandardCharsets.UTF_8)));
    }
  }

  /** Whether the path leads to one file. To be asked before {@link #next}. */
  boolean isSingleFile() {
    return single != null;
  }

  /** The next file; null at the end. */
  Found next() throws IOException {
    if (single != null) {
      Found only = single;
      single = null;
      return only;
    }
    while (true) {
      if (entries == null) {
        current = directories.pollLast();
        if (current == null) {
          return null;
        }
        if (!entered.add(current.inode)) {
          continue;
        }
        entries = new ItemCursor(tree, current.inode, Items.DIRECTORY_ENTRY);
      }
      var item = entries.poll();
      if (item == null) {
        entries = null;
        continue;
      }
      Found found = enter(NameFormat.decode(item.getValue()));
      if (found != null) {
        return found;
      }
    }
  }

  private Found enter(NameFormat.Entry entry) throws IOException {
    if (entry.type() == FileType.DIRECTORY) {
      directories.add(new Directory(entry.inode(), below(current.path, entry.name())));
      return null;
    }
    if (entry.type() != FileType.REGULAR) {
      return null;
    }
    Inode inode = tree.inode(entry.inode());
    // It may be gone since the entry was read.
    boolean isNew = inode != null && (inode.nlink <= 1 || met.add(inode.number));
    return isNew ? new Found(inode, below(current.path, entry.name())) : null;
  }

  private Inode requireInode(long number) throws IOException {
    Inode inode = tree.inode(number);
    if (inode == null) {
      throw new CorruptBlockException("a name leads to inode " + number + ", which is not there");
    }
    return inode;
  }

  private static byte[] below(byte[] directory, byte[] name) {
    if (directory.length == 0) {
      return name;
    }
    byte[] path = Arrays.copyOf(directory, directory.length + 1 + name.length);
    path[directory.length] = '/';
    System.arraycopy(name, 0, path, directory.length + 1, name.length);
    return path;
  }
}
