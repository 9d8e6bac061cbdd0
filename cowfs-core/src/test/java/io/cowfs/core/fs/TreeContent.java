package io.cowfs.core.fs;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.cowfs.core.block.BlockStore;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.txg.TransactionalTree;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Reads all files of a committed tree by the classes that read it for those who browse a snapshot,
 * part by part, so that one that is damaged hides no other. Changes nothing. Confined to one
 * thread.
 */
public final class TreeContent {
  private final TransactionalTree tree;
  private final DirectoryItems directories;
  private final DirectoryReads directoryReads;
  private final FileReads reads;
  private final XattrReads xattrs;
  private final Sink sink;

  /** Takes what was read. */
  public interface Sink {
    /** Returns false when it could not be read. */
    boolean put(String what, Reading reading);
  }

  /** One thing to be read. */
  public interface Reading {
    byte[] read() throws IOException, FsException;
  }

  private TreeContent(Tree committed, BlockStore store, Sink sink) {
    this.tree = new TransactionalTree(committed, 0, 1);
    this.directories = new DirectoryItems(tree);
    this.directoryReads =
        new DirectoryReads(tree, directories, new ReentrantReadWriteLock().readLock());
    this.reads = new FileReads(tree, store, null);
    this.xattrs = new XattrReads(tree);
    this.sink = sink;
  }

  /**
   * Reads everything. What is read of a path is, in this order, where it is found, its attributes
   * and its data; without the one before, there is no next.
   *
   * @param name of the tree: paths begin with it
   */
  public static void read(String name, Tree tree, BlockStore store, Sink sink) {
    new TreeContent(tree, store, sink).read(name, FileSystem.ROOT_INODE);
  }

  private void read(String path, long number) {
    Inode inode = new Inode(number);
    if (!sink.put("attributes " + path, () -> attributes(inode))) {
      return;
    }
    sink.put("xattrs " + path, () -> xattrs(number));
    FileType type = inode.type();
    if (type == FileType.REGULAR) {
      sink.put("data " + path, () -> content(inode));
    } else if (type == FileType.SYMLINK) {
      sink.put("data " + path, () -> reads.readSymlink(inode));
    } else if (type == FileType.DIRECTORY) {
      Map<String, Long> children = new LinkedHashMap<>();
      sink.put("data " + path, () -> list(inode, children));
      for (String child : children.keySet()) {
        String below = path + "/" + child;
        if (sink.put("found " + below, () -> find(inode, child, children))) {
          read(below, children.get(child));
        }
      }
    }
  }

  private byte[] attributes(Inode inode) throws IOException {
    byte[] value = tree.get(Items.inode(inode.number));
    if (value == null) {
      throw new AssertionError("inode " + inode.number + " is said not to be there");
    }
    inode.decode(value);
    return inode.attributes().toString().getBytes(UTF_8);
  }

  private byte[] content(Inode file) throws IOException {
    ByteBuffer content = ByteBuffer.allocate((int) file.size);
    reads.read(file, 0, (int) file.size, content);
    return content.array();
  }

  private byte[] list(Inode directory, Map<String, Long> children) throws IOException, FsException {
    directoryReads.read(
        directory,
        DirectoryReads.DOT_DOT,
        (name, inode, type, cookie) -> {
          children.put(new String(name, UTF_8), inode);
          return true;
        });
    return children.keySet().toString().getBytes(UTF_8);
  }

  private byte[] find(Inode directory, String name, Map<String, Long> children)
      throws IOException, FsException {
    long found = directories.resolve(directory, name.getBytes(UTF_8));
    if (found != children.get(name)) {
      throw new CorruptBlockException("it is listed as another");
    }
    return name.getBytes(UTF_8);
  }

  private byte[] xattrs(long inode) throws IOException, FsException {
    String names = new String(xattrs.list(inode), UTF_8);
    StringBuilder all = new StringBuilder();
    for (String name : names.split("\0", -1)) {
      if (!name.isEmpty()) {
        byte[] value = xattrs.get(inode, name.getBytes(UTF_8));
        all.append(name).append('=').append(Arrays.toString(value)).append('\n');
      }
    }
    return all.toString().getBytes(UTF_8);
  }
}
