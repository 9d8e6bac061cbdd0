package io.cowfs.core.fs;

import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.txg.TransactionalTree;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Directory entries and back references as items. An entry stands under the hash of its name, in
 * the first free of eight slots; its key is its readdir cookie. The directory's lock guards its
 * entries, the child's lock its back references.
 */
final class DirectoryItems {
  private static final int PATH_DEPTH_MAX = 1024;

  /** An entry and where it stands. */
  record Found(Key key, NameFormat.Entry entry) {
    long inode() {
      return entry.inode();
    }
  }

  /** A name by which an inode is reached. */
  record Link(long parent, byte[] name) {}

  private final TransactionalTree tree;

  DirectoryItems(TransactionalTree tree) {
    this.tree = tree;
  }

  /** Names that the interface does not allow. {@code .} and {@code ..} are no names here. */
  static void checkName(byte[] name) throws FsException {
    if (name.length > FileSystem.NAME_LENGTH_MAX) {
      throw new FsException(FsError.NAME_TOO_LONG);
    }
    if (name.length == 0) {
      throw new FsException(FsError.INVALID);
    }
    for (byte b : name) {
      if (b == '/' || b == 0) {
        throw new FsException(FsError.INVALID);
      }
    }
  }

  static boolean isDot(byte[] name) {
    return name.length == 1 && name[0] == '.';
  }

  static boolean isDotDot(byte[] name) {
    return name.length == 2 && name[0] == '.' && name[1] == '.';
  }

  /** The entry of that name, or null. */
  Found find(long directory, byte[] name) throws IOException {
    return find(directory, Items.DIRECTORY_ENTRY, Items.firstSlot(name), name, -1);
  }

  /**
   * The inode that a name of a directory leads to, also for {@code .} and {@code ..}. The inode
   * must be locked.
   *
   * @throws FsException NOT_FOUND, NOT_A_DIRECTORY, NAME_TOO_LONG
   */
  long resolve(Inode directory, byte[] name) throws FsException, IOException {
    if (name.length > FileSystem.NAME_LENGTH_MAX) {
      throw new FsException(FsError.NAME_TOO_LONG);
    }
    if (isDot(name)) {
      // Asked for any inode by those who open files by handle.
      return directory.number;
    }
    if (!directory.isDirectory()) {
      throw new FsException(FsError.NOT_A_DIRECTORY);
    }
    if (isDotDot(name)) {
      return parentOf(directory.number);
    }
    Found found = find(directory.number, name);
    if (found == null) {
      throw new FsException(FsError.NOT_FOUND);
    }
    return found.inode();
  }

  private Found find(long inode, int kind, long firstSlot, byte[] name, long leadsTo)
      throws IOException {
    Key first = new Key(inode, kind, firstSlot);
    byte[] value = tree.get(first);
    if (value != null && matches(value, name, leadsTo)) {
      return new Found(first, NameFormat.decode(value));
    }
    Found[] found = new Found[1];
    tree.scan(
        new Key(inode, kind, firstSlot + 1),
        new Key(inode, kind, firstSlot | Items.SLOT_MASK),
        (key, other) -> {
          if (!matches(other, name, leadsTo)) {
            return true;
          }
          found[0] = new Found(key, NameFormat.decode(other));
          return false;
        });
    return found[0];
  }

  private static boolean matches(byte[] value, byte[] name, long leadsTo) {
    return NameFormat.isNamed(value, name)
        && (leadsTo < 0 || InodeFormat.getLong(value, NameFormat.INODE) == leadsTo);
  }

  /**
   * Where a new entry of this name goes.
   *
   * @throws FsException NO_SPACE when eight other names have the same hash
   */
  Key freeEntry(long directory, byte[] name) throws IOException, FsException {
    return freeSlot(directory, Items.DIRECTORY_ENTRY, Items.firstSlot(name));
  }

  /** Where a new back reference goes. */
  Key freeBackReference(long child, long parent, byte[] name) throws IOException, FsException {
    return freeSlot(child, Items.BACK_REFERENCE, Items.firstSlot(parent, name));
  }

  private Key freeSlot(long inode, int kind, long firstSlot) throws IOException, FsException {
    for (long slot = firstSlot; slot <= (firstSlot | Items.SLOT_MASK); slot++) {
      Key key = new Key(inode, kind, slot);
      if (tree.get(key) == null) {
        return key;
      }
    }
    throw new FsException(FsError.NO_SPACE);
  }

  /** A back reference of a new inode, which has no other yet. */
  static Key firstBackReference(long child, long parent, byte[] name) {
    return new Key(child, Items.BACK_REFERENCE, Items.firstSlot(parent, name));
  }

  /** The back reference of a child to this name. */
  Key backReference(long child, long parent, byte[] name) throws IOException {
    Found found = find(child, Items.BACK_REFERENCE, Items.firstSlot(parent, name), name, parent);
    if (found == null) {
      throw new CorruptBlockException(
          "inode " + child + " lacks its reference to directory " + parent);
    }
    return found.key();
  }

  /** The directory that a directory is in; the root is in itself. */
  long parentOf(long directory) throws IOException {
    if (directory == FileSystem.ROOT_INODE) {
      return directory;
    }
    List<Link> links = linksOf(directory, 1);
    return links.isEmpty() ? directory : links.get(0).parent();
  }

  /**
   * True when a directory is the other one, or somewhere in it.
   *
   * @throws CorruptBlockException when the way up does not end (found as R. P. Brent does it)
   */
  boolean isAtOrBelow(long directory, long top) throws IOException {
    long met = directory;
    long stepsToNextMark = 1;
    long steps = 0;
    for (long at = directory; at != top; ) {
      long above = parentOf(at);
      if (above == at) {
        return false;
      }
      at = above;
      steps++;
      if (at == met) {
        throw new CorruptBlockException("directory " + at + " is inside itself");
      }
      if (steps == stepsToNextMark) {
        met = at;
        stepsToNextMark *= 2;
        steps = 0;
      }
    }
    return true;
  }

  /** Names of an inode, at most {@code max}. */
  List<Link> linksOf(long inode, int max) throws IOException {
    List<Link> links = new ArrayList<>();
    tree.scan(
        new Key(inode, Items.BACK_REFERENCE, 0),
        new Key(inode, Items.BACK_REFERENCE, -1L),
        (key, value) -> {
          NameFormat.Entry entry = NameFormat.decode(value);
          links.add(new Link(entry.inode(), entry.name()));
          return links.size() < max;
        });
    return links;
  }

  /** A path of an inode within the dataset, for messages; as much of it as can be read. */
  String pathOf(long inode) {
    return pathOf(inode, at -> linksOf(at, 1));
  }

  /** The same in a tree. */
  static String pathOf(Tree tree, long inode) {
    return pathOf(inode, at -> linksOf(tree, at));
  }

  /** The paths of all names of an inode in a tree; none where they cannot be read. */
  static List<String> pathsOf(Tree tree, long inode) {
    if (inode == FileSystem.ROOT_INODE) {
      return List.of("/");
    }
    List<String> paths = new ArrayList<>();
    try {
      for (Link link : linksOf(tree, inode)) {
        String parent = pathOf(tree, link.parent());
        String name = new String(link.name(), StandardCharsets.UTF_8);
        paths.add((parent.equals("/") ? "" : parent) + "/" + name);
      }
    } catch (IOException unreadable) {
      // What was found before is right.
    }
    return paths;
  }

  private interface Names {
    List<Link> of(long inode) throws IOException;
  }

  private static String pathOf(long inode, Names names) {
    String path = "";
    try {
      long at = inode;
      for (int depth = 0; at != FileSystem.ROOT_INODE && depth < PATH_DEPTH_MAX; depth++) {
        List<Link> links = names.of(at);
        if (links.isEmpty()) {
          break;
        }
        path = "/" + new String(links.get(0).name(), StandardCharsets.UTF_8) + path;
        at = links.get(0).parent();
      }
    } catch (IOException unreadable) {
      path = "..." + path;
    }
    return path.isEmpty() ? "/" : path;
  }

  /** All names of an inode in a tree. */
  static List<Link> linksOf(Tree tree, long inode) throws IOException {
    return linksOf(ItemSource.of(tree), inode);
  }

  /** The same, in whatever has items. */
  static List<Link> linksOf(ItemSource source, long inode) throws IOException {
    List<Link> links = new ArrayList<>();
    source.scan(
        new Key(inode, Items.BACK_REFERENCE, 0),
        new Key(inode, Items.BACK_REFERENCE, -1L),
        (key, value) -> {
          NameFormat.Entry entry = NameFormat.decode(value);
          links.add(new Link(entry.inode(), entry.name()));
          return true;
        });
    return links;
  }

  /** Gives all names in a directory of a tree; none in what is no directory. */
  static void forEachName(Tree tree, long directory, Consumer<byte[]> visitor) throws IOException {
    ItemSource.of(tree)
        .scan(
            new Key(directory, Items.DIRECTORY_ENTRY, 0),
            new Key(directory, Items.DIRECTORY_ENTRY, -1L),
            (key, value) -> {
              visitor.accept(NameFormat.decode(value).name());
              return true;
            });
  }

  static void link(
      Mutation change, Key entry, Key backReference, long parent, byte[] name, Inode child) {
    change.put(entry, NameFormat.encode(child.number, child.type(), name));
    change.put(backReference, NameFormat.encode(parent, null, name));
  }

  static FileType typeOf(Found found) {
    return found.entry().type();
  }
}
