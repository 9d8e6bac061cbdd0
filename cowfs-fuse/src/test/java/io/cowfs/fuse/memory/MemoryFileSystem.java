package io.cowfs.fuse.memory;

import io.cowfs.core.vfs.AccessTimes;
import io.cowfs.core.vfs.AclKind;
import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.CacheInvalidator;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.DirectoryVisitor;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileSystemStatus;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.InodeFlag;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.core.vfs.RenameMode;
import io.cowfs.core.vfs.Timestamp;
import io.cowfs.core.vfs.XattrMode;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A file system in memory, to exercise the transport: honest about inodes, links, handles,
 * references and orphans, careless about speed of directories. Structure is guarded by this
 * object's lock, contents by that of each {@link MemoryFile}.
 */
public class MemoryFileSystem implements FileSystem {
  private static final int STICKY_AND_ACCESS = 07777;
  private static final int SET_UID = 04000;
  private static final int SET_GID = 02000;
  private static final int GROUP_EXECUTE = 010;
  private static final int XATTR_BYTES_MAX = 64 << 10;

  private final Map<Long, Node> nodes = new ConcurrentHashMap<>();
  private final AtomicInteger handlesOpen = new AtomicInteger();
  private final AtomicLong syncs = new AtomicLong();
  private long lastInode = ROOT_INODE;
  private long lastCookie = 2;
  private volatile CacheInvalidator invalidator = CacheInvalidator.NONE;

  public MemoryFileSystem() {
    Node root = new Node(ROOT_INODE, FileType.DIRECTORY.format() | 0755, 0, 0, 0);
    root.parent = ROOT_INODE;
    nodes.put(ROOT_INODE, root);
  }

  /** An inode. Fields are guarded by the file system's lock, the contents of a file by its own. */
  protected static final class Node {
    final long inode;
    volatile long generation;
    int mode;
    int uid;
    int gid;
    final int rdev;
    int nlink;
    long references;
    int opens;
    Timestamp atime = now();
    Timestamp mtime = atime;
    Timestamp ctime = atime;
    byte[] target;
    long parent;
    final MemoryFile contents = new MemoryFile();
    final TreeMap<Long, Entry> byCookie = new TreeMap<>();
    final Map<String, Entry> byName = new HashMap<>();
    final TreeMap<String, byte[]> xattrs = new TreeMap<>();

    Node(long inode, int mode, int uid, int gid, int rdev) {
      this.inode = inode;
      this.mode = mode;
      this.uid = uid;
      this.gid = gid;
      this.rdev = rdev;
      this.nlink = isDirectory() ? 2 : 1;
    }

    boolean isDirectory() {
      return FileType.ofMode(mode) == FileType.DIRECTORY;
    }

    void killPrivileges() {
      mode &= ~SET_UID;
      if ((mode & GROUP_EXECUTE) != 0) {
        mode &= ~SET_GID;
      }
    }
  }

  private record Entry(String name, Node node, long cookie) {}

  private record Handle(Node node) implements FileHandle {
    @Override
    public long inode() {
      return node.inode;
    }
  }

  private static Timestamp now() {
    java.time.Instant instant = java.time.Instant.now();
    return new Timestamp(instant.getEpochSecond(), instant.getNano());
  }

  /** Names are bytes: as a map key, one char per byte. */
  private static String key(byte[] name) {
    return new String(name, StandardCharsets.ISO_8859_1);
  }

  private static byte[] bytes(String key) {
    return key.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** The sum of all references that the front end holds. */
  public synchronized long referencesHeld() {
    return nodes.values().stream().mapToLong(node -> node.references).sum();
  }

  /** Inodes that exist, linked or not, the root among them. */
  public int inodes() {
    return nodes.size();
  }

  public int handlesOpen() {
    return handlesOpen.get();
  }

  public long syncs() {
    return syncs.get();
  }

  /**
   * Changes the contents of a file in the root behind the front end's back, as a rollback does, and
   * tells it.
   */
  public void replaceContents(String rootName, byte[] contents) throws FsException {
    byte[] name = bytes(rootName);
    long inode;
    synchronized (this) {
      Node node = child(directory(ROOT_INODE), name).node();
      node.contents.truncate(0);
      node.contents.write(0, ByteBuffer.wrap(contents));
      node.generation++;
      inode = node.inode;
    }
    invalidator.inodeChanged(inode);
    invalidator.entryChanged(ROOT_INODE, name);
  }

  /** The contents of a file in the root, as the file system has them. */
  public byte[] contents(String rootName) throws FsException {
    MemoryFile file;
    synchronized (this) {
      file = child(directory(ROOT_INODE), bytes(rootName)).node().contents;
    }
    byte[] bytes = new byte[(int) file.size()];
    file.read(0, ByteBuffer.wrap(bytes));
    return bytes;
  }

  @Override
  public void setAccessTimes(AccessTimes ofFiles, AccessTimes ofDirectories) {}

  @Override
  public void setCacheInvalidator(CacheInvalidator invalidator) {
    this.invalidator = invalidator;
  }

  private Node node(long inode) throws FsException {
    Node node = nodes.get(inode);
    if (node == null) {
      throw new FsException(FsError.STALE);
    }
    return node;
  }

  private Node directory(long inode) throws FsException {
    Node node = node(inode);
    if (!node.isDirectory()) {
      throw new FsException(FsError.NOT_A_DIRECTORY);
    }
    return node;
  }

  private static Entry child(Node directory, byte[] name) throws FsException {
    Entry entry = directory.byName.get(key(name));
    if (entry == null) {
      throw new FsException(FsError.NOT_FOUND);
    }
    return entry;
  }

  private Attributes referenced(Node node) {
    node.references++;
    return attributes(node);
  }

  private static Attributes attributes(Node node) {
    long size =
        switch (FileType.ofMode(node.mode)) {
          case REGULAR -> node.contents.size();
          case SYMLINK -> node.target.length;
          default -> 0;
        };
    return new Attributes(
        node.inode,
        node.generation,
        node.mode,
        node.nlink,
        node.uid,
        node.gid,
        node.rdev,
        size,
        node.contents.allocatedBytes(),
        node.atime,
        node.mtime,
        node.ctime,
        node.ctime);
  }

  @Override
  public synchronized Attributes lookup(long parent, byte[] name) throws FsException {
    Node directory = directory(parent);
    return switch (key(name)) {
      case "." -> referenced(directory);
      case ".." -> referenced(node(directory.parent));
      default -> referenced(child(directory, name).node());
    };
  }

  @Override
  public synchronized Attributes reference(long inode) throws FsException {
    return referenced(node(inode));
  }

  @Override
  public synchronized void forget(long inode, long count) {
    Node node = nodes.get(inode);
    if (node != null) {
      node.references -= count;
      if (node.references < 0) {
        throw new IllegalStateException("inode " + inode + " was forgotten too often");
      }
      reap(node);
    }
  }

  private void reap(Node node) {
    if (node.nlink == 0 && node.references == 0 && node.opens == 0) {
      nodes.remove(node.inode);
    }
  }

  @Override
  public synchronized Attributes getAttributes(long inode) throws FsException {
    return attributes(node(inode));
  }

  @Override
  public Attributes settled(long inode) throws FsException {
    return getAttributes(inode);
  }

  @Override
  public synchronized Attributes setAttributes(
      Caller caller, long inode, FileHandle handle, AttributeChange change) throws FsException {
    Node node = node(inode);
    Timestamp now = now();
    if (change.size() != null) {
      if (FileType.ofMode(node.mode) != FileType.REGULAR) {
        throw new FsException(node.isDirectory() ? FsError.IS_A_DIRECTORY : FsError.INVALID);
      }
      node.contents.truncate(change.size());
      node.mtime = now;
    }
    if (change.mode() != null) {
      node.mode = (node.mode & ~STICKY_AND_ACCESS) | change.mode();
    }
    node.uid = change.uid() != null ? change.uid() : node.uid;
    node.gid = change.gid() != null ? change.gid() : node.gid;
    if (change.killPrivileges()) {
      node.killPrivileges();
    }
    node.atime = resolve(change.atime(), node.atime, now);
    node.mtime = resolve(change.mtime(), node.mtime, now);
    node.ctime = change.ctime() != null ? change.ctime() : now;
    return attributes(node);
  }

  @SuppressWarnings("ReferenceEquality") // NOW is compared by identity, by its contract
  private static Timestamp resolve(Timestamp asked, Timestamp old, Timestamp now) {
    if (asked == null) {
      return old;
    }
    return asked == AttributeChange.NOW ? now : asked;
  }

  @Override
  public byte[] readSymlink(long inode) throws FsException {
    byte[] target = node(inode).target;
    if (target == null) {
      throw new FsException(FsError.INVALID);
    }
    return target;
  }

  private Node make(Caller caller, long parent, byte[] name, int mode, int rdev)
      throws FsException {
    Node directory = directory(parent);
    if (directory.byName.containsKey(key(name))) {
      throw new FsException(FsError.EXISTS);
    }
    int masked = mode & ~(caller.umask() & 0777);
    Node node = new Node(++lastInode, masked, caller.uid(), caller.gid(), rdev);
    nodes.put(node.inode, node);
    if (node.isDirectory()) {
      node.parent = parent;
      directory.nlink++;
    }
    insert(directory, key(name), node);
    return node;
  }

  private void insert(Node directory, String name, Node node) {
    Entry entry = new Entry(name, node, ++lastCookie);
    directory.byName.put(name, entry);
    directory.byCookie.put(entry.cookie(), entry);
    directory.mtime = now();
    directory.ctime = directory.mtime;
  }

  private static void take(Node directory, Entry entry) {
    directory.byName.remove(entry.name());
    directory.byCookie.remove(entry.cookie());
    directory.mtime = now();
    directory.ctime = directory.mtime;
  }

  @Override
  public synchronized Created create(
      Caller caller, long parent, byte[] name, int mode, Set<OpenFlags> flags) throws FsException {
    int regular = FileType.REGULAR.format() | (mode & STICKY_AND_ACCESS);
    Node node = make(caller, parent, name, regular, 0);
    return new Created(referenced(node), opened(node));
  }

  @Override
  public Set<InodeFlag> getFlags(long inode) {
    return Set.of();
  }

  @Override
  public void setFlags(long inode, Set<InodeFlag> flags) throws FsException {
    throw new FsException(FsError.NOT_SUPPORTED);
  }

  @Override
  public long trim(long start, long length, long lengthMin) throws FsException {
    throw new FsException(FsError.NOT_SUPPORTED);
  }

  @Override
  public void shutDown() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void setAcl(long inode, AclKind kind, byte[] acl, boolean clearSgid) throws FsException {
    throw new FsException(FsError.NOT_SUPPORTED);
  }

  @Override
  public long copyRange(Caller caller, Copy copy, boolean killPrivileges) throws FsException {
    throw new FsException(FsError.NOT_SUPPORTED);
  }

  @Override
  public void renameLeavingWhiteout(
      Caller caller, long parent, byte[] name, long newParent, byte[] newName, RenameMode mode)
      throws FsException {
    throw new FsException(FsError.NOT_SUPPORTED);
  }

  @Override
  public Created createUnnamed(Caller caller, long directory, int mode, Set<OpenFlags> flags)
      throws FsException {
    throw new FsException(FsError.NOT_SUPPORTED);
  }

  private Handle opened(Node node) {
    node.opens++;
    handlesOpen.incrementAndGet();
    return new Handle(node);
  }

  @Override
  public synchronized Attributes makeDirectory(Caller caller, long parent, byte[] name, int mode)
      throws FsException {
    int directory = FileType.DIRECTORY.format() | (mode & STICKY_AND_ACCESS);
    return referenced(make(caller, parent, name, directory, 0));
  }

  @Override
  public synchronized Attributes makeNode(
      Caller caller, long parent, byte[] name, int mode, int rdev) throws FsException {
    return referenced(make(caller, parent, name, mode, rdev));
  }

  @Override
  public synchronized Attributes makeSymlink(Caller caller, long parent, byte[] name, byte[] target)
      throws FsException {
    Node node = make(caller, parent, name, FileType.SYMLINK.format() | 0777, 0);
    node.target = target;
    return referenced(node);
  }

  @Override
  public synchronized Attributes link(long inode, long newParent, byte[] newName)
      throws FsException {
    Node node = node(inode);
    Node directory = directory(newParent);
    if (node.isDirectory()) {
      throw new FsException(FsError.NOT_PERMITTED);
    }
    if (directory.byName.containsKey(key(newName))) {
      throw new FsException(FsError.EXISTS);
    }
    insert(directory, key(newName), node);
    node.nlink++;
    node.ctime = now();
    return referenced(node);
  }

  @Override
  public synchronized void unlink(long parent, byte[] name) throws FsException {
    Node directory = directory(parent);
    Entry entry = child(directory, name);
    if (entry.node().isDirectory()) {
      throw new FsException(FsError.IS_A_DIRECTORY);
    }
    take(directory, entry);
    dropLink(entry.node());
  }

  private void dropLink(Node node) {
    node.nlink = node.isDirectory() ? 0 : node.nlink - 1;
    node.ctime = now();
    reap(node);
  }

  @Override
  public synchronized void removeDirectory(long parent, byte[] name) throws FsException {
    Node directory = directory(parent);
    Entry entry = child(directory, name);
    if (!entry.node().isDirectory()) {
      throw new FsException(FsError.NOT_A_DIRECTORY);
    }
    if (!entry.node().byName.isEmpty()) {
      throw new FsException(FsError.NOT_EMPTY);
    }
    take(directory, entry);
    directory.nlink--;
    dropLink(entry.node());
  }

  @Override
  public synchronized void rename(
      long parent, byte[] name, long newParent, byte[] newName, RenameMode mode)
      throws FsException {
    Node from = directory(parent);
    Node to = directory(newParent);
    Entry moved = child(from, name);
    Entry replaced = to.byName.get(key(newName));
    if (mode == RenameMode.NO_REPLACE && replaced != null) {
      throw new FsException(FsError.EXISTS);
    }
    if (mode == RenameMode.EXCHANGE) {
      exchange(from, moved, to, child(to, newName));
      return;
    }
    if (replaced != null) {
      if (replaced.node() == moved.node()) {
        return;
      }
      if (!replaced.node().byName.isEmpty()) {
        throw new FsException(FsError.NOT_EMPTY);
      }
      take(to, replaced);
      if (replaced.node().isDirectory()) {
        to.nlink--;
      }
      dropLink(replaced.node());
    }
    take(from, moved);
    insert(to, key(newName), moved.node());
    reparent(from, to, moved.node());
  }

  private void exchange(Node from, Entry first, Node to, Entry second) {
    take(from, first);
    take(to, second);
    insert(from, first.name(), second.node());
    insert(to, second.name(), first.node());
    reparent(from, to, first.node());
    reparent(to, from, second.node());
  }

  private static void reparent(Node from, Node to, Node node) {
    node.ctime = now();
    if (node.isDirectory()) {
      from.nlink--;
      to.nlink++;
      node.parent = to.inode;
    }
  }

  @Override
  public synchronized FileHandle open(long inode, Set<OpenFlags> flags) throws FsException {
    Node node = node(inode);
    if (node.isDirectory()) {
      throw new FsException(FsError.IS_A_DIRECTORY);
    }
    if (flags.contains(OpenFlags.TRUNCATE)) {
      node.contents.truncate(0);
      node.mtime = now();
      node.ctime = node.mtime;
      if (flags.contains(OpenFlags.KILL_PRIVILEGES)) {
        node.killPrivileges();
      }
    }
    return opened(node);
  }

  @Override
  public int read(FileHandle handle, long offset, int length, ByteBuffer destination)
      throws FsException {
    ByteBuffer window = destination.duplicate();
    window.limit(window.position() + length);
    int bytes = ((Handle) handle).node().contents.read(offset, window);
    destination.position(destination.position() + bytes);
    return bytes;
  }

  @Override
  public void write(
      Caller caller, FileHandle handle, long offset, ByteBuffer source, boolean killPrivileges)
      throws FsException {
    Node node = ((Handle) handle).node();
    node.contents.write(offset, source);
    synchronized (this) {
      if (killPrivileges) {
        node.killPrivileges();
      }
      node.mtime = now();
      node.ctime = node.mtime;
    }
  }

  @Override
  public void sync(Caller caller, long inode, boolean dataOnly) throws FsException {
    node(inode);
    syncs.incrementAndGet();
  }

  @Override
  public void syncAll() {
    syncs.incrementAndGet();
  }

  @Override
  public synchronized void release(FileHandle handle) {
    Node node = ((Handle) handle).node();
    node.opens--;
    handlesOpen.decrementAndGet();
    reap(node);
  }

  @Override
  public synchronized FileHandle openDirectory(long inode, Set<OpenFlags> flags)
      throws FsException {
    return opened(directory(inode));
  }

  @Override
  public synchronized void readDirectory(FileHandle handle, long cookie, DirectoryVisitor visitor)
      throws FsException {
    Node node = ((Handle) handle).node();
    FileType type = FileType.DIRECTORY;
    if (cookie < 1 && !visitor.entry(new byte[] {'.'}, node.inode, type, 1)) {
      return;
    }
    if (cookie < 2 && !visitor.entry(new byte[] {'.', '.'}, node.parent, type, 2)) {
      return;
    }
    for (Entry entry : node.byCookie.tailMap(cookie, false).values()) {
      Node child = entry.node();
      FileType childType = FileType.ofMode(child.mode);
      if (!visitor.entry(bytes(entry.name()), child.inode, childType, entry.cookie())) {
        return;
      }
    }
  }

  @Override
  public FileSystemStatus status() {
    return new FileSystemStatus(4096, 1 << 20, 1 << 19, 1 << 18, nodes.size(), 1 << 20, 255);
  }

  @Override
  public synchronized void setXattr(long inode, byte[] name, byte[] value, XattrMode mode)
      throws FsException {
    Node node = node(inode);
    boolean there = node.xattrs.containsKey(key(name));
    if (value.length > XATTR_BYTES_MAX) {
      throw new FsException(FsError.ARGUMENT_TOO_LONG);
    }
    if (there && mode == XattrMode.CREATE) {
      throw new FsException(FsError.EXISTS);
    }
    if (!there && mode == XattrMode.REPLACE) {
      throw new FsException(FsError.NO_ATTRIBUTE);
    }
    node.xattrs.put(key(name), value);
    node.ctime = now();
  }

  @Override
  public synchronized byte[] getXattr(long inode, byte[] name) throws FsException {
    byte[] value = node(inode).xattrs.get(key(name));
    if (value == null) {
      throw new FsException(FsError.NO_ATTRIBUTE);
    }
    return value;
  }

  @Override
  public synchronized byte[] listXattrs(long inode) throws FsException {
    ByteArrayOutputStream names = new ByteArrayOutputStream();
    for (String name : node(inode).xattrs.keySet()) {
      names.writeBytes(bytes(name));
      names.write(0);
    }
    return names.toByteArray();
  }

  @Override
  public synchronized void removeXattr(long inode, byte[] name) throws FsException {
    if (node(inode).xattrs.remove(key(name)) == null) {
      throw new FsException(FsError.NO_ATTRIBUTE);
    }
  }

  @Override
  public long seek(FileHandle handle, long offset, SeekTarget target) throws FsException {
    return ((Handle) handle).node().contents.seek(offset, target == SeekTarget.DATA);
  }

  @Override
  public void allocate(FileHandle handle, AllocationMode mode, long offset, long length)
      throws FsException {
    MemoryFile contents = ((Handle) handle).node().contents;
    switch (mode) {
      case RESERVE -> contents.extend(offset + length);
      case RESERVE_KEEP_SIZE -> {}
      case PUNCH_HOLE, ZERO_RANGE_KEEP_SIZE -> contents.zero(offset, length);
      case ZERO_RANGE -> {
        contents.zero(offset, length);
        contents.extend(offset + length);
      }
    }
  }
}
