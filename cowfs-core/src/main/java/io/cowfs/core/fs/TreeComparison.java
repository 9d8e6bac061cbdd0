package io.cowfs.core.fs;

import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.btree.TreeDiff;
import io.cowfs.core.fs.DirectoryItems.Link;
import io.cowfs.core.fs.FileChange.Kind;
import io.cowfs.core.vfs.FileSystem;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;

/**
 * Tells what changed between two states of a dataset, as a user sees it: names that came, went or
 * moved, and files that were modified.
 *
 * <p>What is looked at is what {@link TreeDiff} finds, inode by inode; the names of an inode are
 * its back references, which say where it hangs in each of the two trees.
 *
 * <ul>
 *   <li>A file with one name less and one more, by path, was renamed. All other names that came or
 *       went, also those of a file that stays under others, were added or removed.
 *   <li>A file that was moved along with a directory above it is not mentioned: its name in its
 *       directory is the same.
 *   <li>A file that was modified is mentioned by each name that it had before, under the one that
 *       this name has now.
 *   <li>A file that replaced another one under its name was added, and the other one was removed.
 *   <li>Files without names are not mentioned, nor is the coming of the root directory.
 * </ul>
 *
 * <p>The list is made in pages of bounded memory: each of them goes through all differences again.
 * Belongs to one thread; both trees must stay meanwhile.
 */
public final class TreeComparison {
  /** About 100,000 changes with paths of usual length. */
  private static final long PAGE_BYTES = 16 << 20;

  /**
   * A part of the list.
   *
   * @param changes in order
   * @param isLast whether none follow
   */
  public record Page(List<FileChange> changes, boolean isLast) {}

  private final Tree before;
  private final Tree after;
  private final long pageBytes;
  private final TreePaths oldPaths;
  private final TreePaths newPaths;

  public TreeComparison(Tree before, Tree after) {
    this(before, after, PAGE_BYTES);
  }

  TreeComparison(Tree before, Tree after, long pageBytes) {
    this.before = before;
    this.after = after;
    this.pageBytes = pageBytes;
    oldPaths = new TreePaths(before);
    newPaths = new TreePaths(after);
  }

  /**
   * The changes that come next.
   *
   * @param last the last one of the page before; null for the first page
   * @throws CorruptBlockException when something of either tree that is needed is damaged
   */
  public Page pageAfter(FileChange last) throws IOException {
    ChangePage page = new ChangePage(last, pageBytes);
    InodeDifference[] current = {new InodeDifference(0)};
    TreeDiff.run(
        before,
        after,
        (key, oldValue, newValue) -> {
          if (key.high() != current[0].number) {
            report(current[0], page);
            current[0] = new InodeDifference(key.high());
          }
          current[0].item(key, oldValue, newValue);
        });
    report(current[0], page);
    return new Page(page.sorted(), page.hasAll());
  }

  private void report(InodeDifference difference, ChangePage page) throws IOException {
    // Number 0 stands for the list of orphans.
    if (difference.number == 0 || !difference.isOfInterest()) {
      return;
    }
    Inode old = inode(difference, before, difference.oldItem());
    Inode now = inode(difference, after, difference.newItem());
    if (old != null && now != null && InodeDifference.isSameFile(old, now)) {
      reportSame(difference, old, now, page);
      return;
    }
    boolean replaced = old != null && now != null;
    for (Link link : replaced ? linksOf(before, old) : difference.removed) {
      page.add(change(Kind.REMOVED, require(old, difference), oldPaths.path(link)));
    }
    for (Link link : replaced ? linksOf(after, now) : difference.added) {
      page.add(change(Kind.ADDED, require(now, difference), newPaths.path(link)));
    }
  }

  private static Inode require(Inode inode, InodeDifference difference)
      throws CorruptBlockException {
    if (inode == null) {
      throw new CorruptBlockException(
          "inode " + difference.number + " has names, but does not exist");
    }
    return inode;
  }

  /** What an inode item says, or null where there is none. */
  private static Inode inode(InodeDifference difference, Tree tree, byte[] item)
      throws IOException {
    byte[] value = difference.itemDiffers() ? item : tree.get(Items.inode(difference.number));
    if (value == null) {
      return null;
    }
    Inode inode = new Inode(difference.number);
    inode.decode(value);
    return inode;
  }

  private static List<Link> linksOf(Tree tree, Inode inode) throws IOException {
    return DirectoryItems.linksOf(tree, inode.number);
  }

  private void reportSame(InodeDifference difference, Inode old, Inode now, ChangePage page)
      throws IOException {
    NavigableSet<byte[]> removed = paths(difference.removed, oldPaths);
    NavigableSet<byte[]> added = paths(difference.added, newPaths);
    // The same path through another directory of the same name is no change of this file.
    removed.removeIf(added::remove);
    if (removed.size() == 1 && added.size() == 1) {
      page.add(
          new FileChange(Kind.RENAMED, now.number, now.type(), added.first(), removed.first()));
      added.clear();
    } else {
      removed.forEach(path -> page.add(change(Kind.REMOVED, old, path)));
      added.forEach(path -> page.add(change(Kind.ADDED, now, path)));
    }
    if (difference.isModified(old, now)) {
      reportModified(now, added, page);
    }
  }

  private void reportModified(Inode now, NavigableSet<byte[]> added, ChangePage page)
      throws IOException {
    if (now.number == FileSystem.ROOT_INODE) {
      page.add(change(Kind.MODIFIED, now, new byte[] {'/'}));
      return;
    }
    for (Link link : linksOf(after, now)) {
      byte[] path = newPaths.path(link);
      if (!added.contains(path)) {
        page.add(change(Kind.MODIFIED, now, path));
      }
    }
  }

  private static NavigableSet<byte[]> paths(List<Link> links, TreePaths tree) throws IOException {
    NavigableSet<byte[]> paths = new TreeSet<>(Arrays::compareUnsigned);
    for (Link link : links) {
      paths.add(tree.path(link));
    }
    return paths;
  }

  private static FileChange change(Kind kind, Inode inode, byte[] path) {
    return new FileChange(kind, inode.number, inode.type(), path, null);
  }
}
