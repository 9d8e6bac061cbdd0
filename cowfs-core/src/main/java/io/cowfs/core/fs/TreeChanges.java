package io.cowfs.core.fs;

import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.btree.TreeDiff;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What of two trees of a dataset is different, as far as anyone has it in memory: this file system
 * or its front end. Costs as much as differs. Made by one thread, immutable then.
 */
final class TreeChanges {
  private final Set<Long> inodes = new LinkedHashSet<>();
  private final Set<Long> onlyRead = new LinkedHashSet<>();
  private final Set<Long> files = new LinkedHashSet<>();
  private final Set<Long> removedDirectories = new LinkedHashSet<>();
  private final List<DirectoryItems.Link> names = new ArrayList<>();
  private long moreNodes;

  private TreeChanges() {}

  /** Inodes with any item that differs. */
  Set<Long> inodes() {
    return inodes;
  }

  /** True for one of them of which the access time is all that differs. */
  boolean wasOnlyRead(long inode) {
    return onlyRead.contains(inode);
  }

  /** Those of them that are regular files in the new tree, and differ in more than that. */
  Set<Long> files() {
    return files;
  }

  /** Those of them that are directories without a name in the old tree. */
  Set<Long> removedDirectories() {
    return removedDirectories;
  }

  /** Names of the old tree that lead elsewhere, or nowhere, in the new one. */
  List<DirectoryItems.Link> names() {
    return names;
  }

  /** How many more nodes the new tree has. */
  long moreNodes() {
    return moreNodes;
  }

  /**
   * Compares the trees.
   *
   * @param memory what is known of the old tree
   */
  static TreeChanges between(Tree before, Tree after, NodeReader nodes, InodeTable memory)
      throws IOException {
    TreeChanges changes = new TreeChanges();
    // A node is read for one tree only when the other one does not have it.
    long[] balance = new long[1];
    Tree old = new Tree(before.root(), counting(nodes, balance, -1));
    Tree now = new Tree(after.root(), counting(nodes, balance, 1));
    TreeDiff.run(
        old,
        now,
        (key, oldValue, newValue) -> {
          if (memory.isKnown(key.high())) {
            changes.addItem(key, oldValue, newValue);
            if (key.kind() == Items.DIRECTORY_ENTRY && oldValue != null) {
              changes.addName(key.high(), oldValue, memory);
            }
          }
        });
    changes.moreNodes = balance[0];
    for (long inode : changes.inodes) {
      if (memory.isReferenced(inode)
          && !changes.onlyRead.contains(inode)
          && isRegular(inode, after.get(Items.inode(inode)))) {
        changes.files.add(inode);
      }
    }
    return changes;
  }

  private void addItem(Key key, byte[] oldValue, byte[] newValue) throws IOException {
    long inode = key.high();
    // An inode's attributes are its first item.
    boolean first = inodes.add(inode);
    if (first && key.kind() == Items.INODE && differInAccessTime(inode, oldValue, newValue)) {
      onlyRead.add(inode);
    } else {
      onlyRead.remove(inode);
    }
    if (key.kind() == Items.INODE && isRemovedDirectory(inode, oldValue)) {
      removedDirectories.add(inode);
    }
  }

  private static NodeReader counting(NodeReader nodes, long[] balance, int step) {
    return pointer -> {
      balance[0] += step;
      return nodes.readNode(pointer);
    };
  }

  /** A front end that has a name cached holds what it leads to. */
  private void addName(long directory, byte[] value, InodeTable memory) throws IOException {
    NameFormat.Entry entry = NameFormat.decode(value);
    if (memory.isReferenced(directory) && memory.isReferenced(entry.inode())) {
      names.add(new DirectoryItems.Link(directory, entry.name()));
    }
  }

  /**
   * All that is in memory, for trees that cannot be compared because one is damaged. What cannot be
   * read counts as a file.
   */
  static TreeChanges everything(Tree before, Tree after, InodeTable memory) {
    TreeChanges changes = new TreeChanges();
    changes.inodes.addAll(memory.known());
    for (long inode : changes.inodes) {
      if (!memory.isReferenced(inode)) {
        continue;
      }
      try {
        changes.names.addAll(DirectoryItems.linksOf(before, inode));
        if (isRemovedDirectory(inode, before.get(Items.inode(inode)))) {
          changes.removedDirectories.add(inode);
        }
        if (isRegular(inode, after.get(Items.inode(inode)))) {
          changes.files.add(inode);
        }
      } catch (IOException damaged) {
        changes.files.add(inode);
      }
    }
    changes.files.remove(FileSystem.ROOT_INODE);
    return changes;
  }

  private static boolean differInAccessTime(long inode, byte[] oldValue, byte[] newValue)
      throws IOException {
    if (oldValue == null || newValue == null) {
      return false;
    }
    InodeFormat.check(inode, oldValue);
    InodeFormat.check(inode, newValue);
    return Arrays.equals(
        InodeFormat.withoutAccessTime(oldValue), InodeFormat.withoutAccessTime(newValue));
  }

  private static boolean isRegular(long inode, byte[] value) throws IOException {
    return is(FileType.REGULAR, inode, value);
  }

  private static boolean isRemovedDirectory(long inode, byte[] value) throws IOException {
    return is(FileType.DIRECTORY, inode, value)
        && InodeFormat.getInt(value, InodeFormat.NLINK) == 0;
  }

  private static boolean is(FileType type, long inode, byte[] value) throws IOException {
    if (value == null) {
      return false;
    }
    InodeFormat.check(inode, value);
    return FileType.ofMode(InodeFormat.getInt(value, InodeFormat.MODE)) == type;
  }
}
