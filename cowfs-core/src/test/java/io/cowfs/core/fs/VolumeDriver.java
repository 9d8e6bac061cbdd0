package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileSystem.AllocationMode;
import io.cowfs.core.vfs.FileSystem.SeekTarget;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.core.vfs.RenameMode;
import io.cowfs.core.vfs.Timestamp;
import io.cowfs.core.vfs.XattrMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Does random operations on a file system, below one directory, and on the model at the same time,
 * and compares what they answer. Each operation depends on its own seed and on the model's state
 * only, so that a list of them can be repeated, and shortened. Confined to one thread.
 */
final class VolumeDriver {
  static final int FILE_BYTES_MAX = 3 << 20;
  private static final int NODES_MAX = 70;
  private static final int SECTOR = 4096;
  private static final Caller CALLER = new Caller(1000, 1001, 7, 022, () -> false);

  /** Where files change their form. */
  private static final int[] EDGES = {0, 2048, 4096, 8192, 131_072, 262_144};

  private record Open(ModelNode node, FileHandle handle) {}

  /** Whole sectors of one file, or all to its end, that go into another one; in bytes. */
  record Clone(ModelNode source, int from, ModelNode target, int to, int length) {
    /** Does it to the target, or to a copy of that. */
    void changes(ModelNode file) {
      file.write(to, source.read(from, from + length));
      file.mode &= ~06000;
    }

    Clone withLength(int other) {
      return new Clone(source, from, target, to, other);
    }

    @Override
    public String toString() {
      return "inode %d at %d, size %d, to inode %d at %d, size %d: %d bytes"
          .formatted(source.inode, from, source.size(), target.inode, to, target.size(), length);
    }
  }

  private interface Action<T> {
    T run() throws FsException;
  }

  private FileSystem fs;
  private Model model;
  private final List<Open> open = new ArrayList<>();
  private final Map<ModelNode, Integer> references = new HashMap<>();
  private Random random = new Random(0);
  private String trace = "";

  /** What may come in the place of any answer. */
  private Set<FsError> storageErrors = Set.of();

  /** Times may. */
  private boolean mayGoBack;

  /** Called between the changes of one operation. */
  private Runnable beforeNextChange = () -> {};

  VolumeDriver(FileSystem fs, Model model) {
    this.fs = fs;
    this.model = model;
  }

  Model model() {
    return model;
  }

  /**
   * From now on any operation may fail with one of these errors, which then changes nothing; {@link
   * #step} throws it.
   */
  void expect(Set<FsError> errors) {
    storageErrors = errors;
  }

  /** From now on calls this where one operation has made a change, and will make another one. */
  void beforeNextChange(Runnable action) {
    beforeNextChange = action;
  }

  /** The clock may be set back: what is changed later need not have a later time. */
  void expectClockSetBack() {
    mayGoBack = true;
  }

  /** What the last operation was. */
  String trace() {
    return trace;
  }

  /** The file system was closed and opened again: handles and references are gone. */
  void reopened(FileSystem reopened, Model now) {
    fs = reopened;
    model = now;
    open.clear();
    references.clear();
  }

  /**
   * The file system was rolled back, in use. Handles to what exists there go on, the others are
   * stale. What had no name at the snapshot, but was open, is in no model; it is let go.
   */
  void rolledBack(Model now) throws FsException {
    model = now;
    Map<Long, ModelNode> live = now.byInode();
    List<Open> kept = new ArrayList<>();
    for (Open each : open) {
      ModelNode node = live.get(each.handle.inode());
      boolean stale = isStale(each.handle);
      if (node != null) {
        assertFalse(stale, () -> "handle of inode " + node.inode);
        kept.add(new Open(node, each.handle));
      } else {
        assertTrue(stale || fs.getAttributes(each.handle.inode()).nlink() == 0);
        fs.release(each.handle);
      }
    }
    open.clear();
    open.addAll(kept);
    for (Map.Entry<ModelNode, Integer> entry : Map.copyOf(references).entrySet()) {
      references.remove(entry.getKey());
      ModelNode node = live.get(entry.getKey().inode);
      if (node != null) {
        references.put(node, entry.getValue());
      } else {
        fs.forget(entry.getKey().inode, entry.getValue());
      }
    }
  }

  private boolean isStale(FileHandle handle) throws FsException {
    try {
      fs.read(handle, 0, 1, ByteBuffer.allocate(1));
      return false;
    } catch (FsException refused) {
      rethrowStorageError(refused);
      assertEquals(FsError.STALE, refused.error());
      return true;
    }
  }

  /** Gives back all handles and references. */
  void letGo() {
    open.forEach(each -> fs.release(each.handle));
    open.clear();
    references.forEach((node, count) -> fs.forget(node.inode, count));
    references.clear();
  }

  /** One operation. */
  void step(long seed) throws FsException, IOException {
    random = new Random(seed);
    trace = "";
    int kind = random.nextInt(100);
    if (kind < 9) {
      create();
    } else if (kind < 13) {
      make();
    } else if (kind < 33) {
      write();
    } else if (kind < 43) {
      readSome();
    } else if (kind < 50) {
      truncate();
    } else if (kind < 56) {
      allocate();
    } else if (kind < 60) {
      seek();
    } else if (kind < 66) {
      remove();
    } else if (kind < 74) {
      rename();
    } else if (kind < 77) {
      link();
    } else if (kind < 82) {
      xattr();
    } else if (kind < 85) {
      changeAttributes();
    } else if (kind < 89) {
      directory();
    } else if (kind < 94) {
      lookup();
    } else {
      openOrClose();
    }
  }

  // ---- choices

  private void log(String format, Object... arguments) {
    trace += String.format(format, arguments) + "; ";
  }

  private <T> T pick(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  private ModelNode pickDirectory() {
    if (random.nextInt(3) == 0) {
      return model.root;
    }
    return pick(model.all().stream().filter(ModelNode::isDirectory).toList());
  }

  /** A file with a name, or one that is only held; null when there is none. */
  private ModelNode pickFile() {
    List<ModelNode> files = new ArrayList<>();
    for (ModelNode node : model.all()) {
      if (node.isRegular()) {
        files.add(node);
      }
    }
    open.forEach(each -> files.add(each.node));
    references.keySet().stream()
        .filter(ModelNode::isRegular)
        .sorted(java.util.Comparator.comparingLong(node -> node.inode))
        .forEach(files::add);
    return files.isEmpty() ? null : pick(files);
  }

  private String pickName(ModelNode directory) {
    if (!directory.entries.isEmpty() && random.nextInt(10) < 6) {
      return pick(List.copyOf(directory.entries.keySet()));
    }
    return freshName();
  }

  private String freshName() {
    int kind = random.nextInt(20);
    if (kind == 0) {
      return "L" + "\u00e9".repeat(253) + (char) ('a' + random.nextInt(4));
    }
    if (kind == 1) {
      return "\u00ff \n" + random.nextInt(4);
    }
    return "n" + random.nextInt(24);
  }

  private int pickOffset(ModelNode file) {
    return switch (random.nextInt(8)) {
      case 0 -> file.size();
      case 1 -> 0;
      case 2, 3 -> Math.max(0, pickEdge() + random.nextInt(7) - 3);
      case 4 -> random.nextInt(4096);
      case 5 -> random.nextInt(16) * 4096;
      case 6 -> random.nextInt(700_000);
      default -> file.size() == 0 ? 0 : random.nextInt(file.size());
    };
  }

  private int pickEdge() {
    return EDGES[random.nextInt(EDGES.length)];
  }

  private int pickLength() {
    return switch (random.nextInt(16)) {
      case 0, 1, 2, 3 -> 1 + random.nextInt(100);
      case 4, 5 -> 1 + random.nextInt(2100);
      case 6, 7 -> 4096;
      case 8 -> Math.max(1, pickEdge() + random.nextInt(3) - 1);
      case 9 -> 131_072;
      case 10 -> 1 + random.nextInt(300_000);
      default -> 1 + random.nextInt(12_000);
    };
  }

  private byte[] content(int length) {
    byte[] bytes = new byte[length];
    switch (random.nextInt(4)) {
      case 0 -> random.nextBytes(bytes);
      case 1 -> java.util.Arrays.fill(bytes, (byte) random.nextInt(256));
      default -> {
        long bits = 0;
        for (int i = 0; i < length; i++) {
          bits = (i & 63) == 0 ? random.nextLong() : bits >>> 1;
          bytes[i] = (byte) ((i >> 6) * 31 + (bits & 1));
        }
      }
    }
    return bytes;
  }

  // ---- expectations

  private <T> T refusedOr(FsError expected, Action<T> action) throws FsException {
    if (expected == null) {
      return action.run();
    }
    refused(expected, action);
    return null;
  }

  private void rethrowStorageError(FsException failure) throws FsException {
    if (storageErrors.contains(failure.error())) {
      throw failure;
    }
  }

  private void refused(FsError expected, Action<?> action) throws FsException {
    try {
      action.run();
    } catch (FsException refused) {
      rethrowStorageError(refused);
      assertEquals(expected, refused.error(), () -> "" + refused.getCause());
      return;
    }
    throw new AssertionError("not refused with " + expected);
  }

  private static Action<Void> doing(VoidAction action) {
    return () -> {
      action.run();
      return null;
    };
  }

  private interface VoidAction {
    void run() throws FsException;
  }

  private static void touched(ModelNode... nodes) {
    for (ModelNode node : nodes) {
      node.seen = null;
    }
  }

  /** The front end holds the inode once more, as after a lookup; perhaps it forgets it at once. */
  private void counted(ModelNode node) {
    if (random.nextInt(4) != 0) {
      fs.forget(node.inode, 1);
    } else {
      references.merge(node, 1, Integer::sum);
    }
  }

  // ---- operations

  private ModelNode added(ModelNode parent, String name, Attributes made) {
    ModelNode node = new ModelNode(made.inode(), made.type());
    node.mode = made.mode() & 07777;
    node.uid = CALLER.uid();
    node.gid = (parent.mode & 02000) != 0 ? parent.gid : CALLER.gid();
    node.nlink = node.isDirectory() ? 2 : 1;
    node.rdev = made.rdev();
    node.parent = parent;
    parent.entries.put(name, node);
    parent.nlink += node.isDirectory() ? 1 : 0;
    touched(parent);
    return node;
  }

  private void create() throws FsException {
    ModelNode parent = pickDirectory();
    String name = random.nextInt(3) == 0 ? pickName(parent) : freshName();
    if (model.all().size() >= NODES_MAX && !parent.entries.containsKey(name)) {
      return;
    }
    int mode = random.nextInt(010000);
    log("create %d/%s", parent.inode, name);
    FsError error = parent.entries.containsKey(name) ? FsError.EXISTS : null;
    FileSystem.Created created =
        refusedOr(
            error,
            () ->
                fs.create(CALLER, parent.inode, Model.bytes(name), mode, Set.of(OpenFlags.WRITE)));
    if (created == null) {
      return;
    }
    ModelNode node = added(parent, name, created.attributes());
    node.mode = mode & ~022;
    Model.compareAttributes(node, created.attributes(), "created");
    log("inode %d", node.inode);
    open.add(new Open(node, created.handle()));
    counted(node);
    if (random.nextBoolean()) {
      close(open.size() - 1);
    }
  }

  private void make() throws FsException {
    ModelNode parent = pickDirectory();
    String name = freshName();
    int kind = random.nextInt(6);
    if (model.all().size() >= NODES_MAX && !parent.entries.containsKey(name)) {
      return;
    }
    log("make %d/%s kind %d", parent.inode, name, kind);
    byte[] bytes = Model.bytes(name);
    byte[] target = content(1 + random.nextInt(4095));
    FsError error = parent.entries.containsKey(name) ? FsError.EXISTS : null;
    Attributes made =
        refusedOr(
            error,
            () ->
                switch (kind) {
                  case 0 -> fs.makeSymlink(CALLER, parent.inode, bytes, target);
                  case 1 ->
                      fs.makeNode(
                          CALLER,
                          parent.inode,
                          bytes,
                          FileType.CHARACTER_DEVICE.format() | 0600,
                          259);
                  case 2 ->
                      fs.makeNode(CALLER, parent.inode, bytes, FileType.REGULAR.format() | 0644, 0);
                  default -> fs.makeDirectory(CALLER, parent.inode, bytes, 0777);
                });
    if (made == null) {
      return;
    }
    ModelNode node = added(parent, name, made);
    node.target = kind == 0 ? target : null;
    Model.compareAttributes(node, made, "made");
    log("inode %d", node.inode);
    counted(node);
  }

  /** Runs something on an open handle of the file; opens one when there is none. */
  private void withHandle(ModelNode file, HandleAction action) throws FsException {
    for (Open each : open) {
      if (each.node == file) {
        action.run(each.handle);
        return;
      }
    }
    FileHandle handle = fs.open(file.inode, Set.of(OpenFlags.READ, OpenFlags.WRITE));
    try {
      action.run(handle);
    } finally {
      fs.release(handle);
    }
  }

  private interface HandleAction {
    void run(FileHandle handle) throws FsException;
  }

  private void write() throws FsException {
    ModelNode file = pickFile();
    if (file == null) {
      return;
    }
    int offset = pickOffset(file);
    byte[] bytes = content(pickLength());
    if (offset + bytes.length > FILE_BYTES_MAX) {
      return;
    }
    log("write inode %d at %d, %d bytes, size %d", file.inode, offset, bytes.length, file.size());
    boolean kill = random.nextInt(4) == 0;
    withHandle(
        file,
        handle -> {
          ByteBuffer source = ByteBuffer.allocateDirect(bytes.length + 2).position(1);
          source.put(bytes).position(1).limit(bytes.length + 1);
          fs.write(CALLER, handle, offset, source, kill);
          assertEquals(0, source.remaining());
          file.write(offset, bytes);
          killPrivileges(file, kill);
          Model.compareAttributes(file, fs.getAttributes(file.inode), "written");
          if (random.nextInt(3) == 0) {
            int from = Math.max(0, offset - random.nextInt(5000));
            int length = offset - from + bytes.length + random.nextInt(5000);
            Model.compareContent(fs, handle, file, "written", from, length);
          }
        });
  }

  /** Files of the model that have data to be cloned, and of the others a few. */
  static List<ModelNode> sources(Model model, Random choice) {
    int least = choice.nextInt(4) == 0 ? 1 : SECTOR + 1;
    return model.all().stream().filter(node -> node.isRegular() && node.size() >= least).toList();
  }

  /**
   * Chooses whole sectors of a file, or what it has to its end, and where they go in a file of this
   * file system: to the same place, or to another one.
   *
   * @param source may be of another file system
   * @return null where it cannot be done
   */
  Clone chooseClone(ModelNode source, Random choice) {
    random = choice;
    ModelNode target = pickFile();
    if (target == null) {
      return null;
    }
    int from = random.nextBoolean() ? 0 : random.nextInt(source.size() / SECTOR + 1) * SECTOR;
    int to = random.nextInt(3) == 0 ? random.nextInt(64) * SECTOR : from;
    int asked = random.nextBoolean() ? FILE_BYTES_MAX : (1 + random.nextInt(64)) * SECTOR;
    int left = Math.min(asked, source.size() - from);
    int length = to + left < target.size() ? left / SECTOR * SECTOR : left;
    boolean overlaps = source == target && Math.abs(from - to) < length;
    if (length <= 0 || to + length > FILE_BYTES_MAX || overlaps) {
      return null;
    }
    return new Clone(source, from, target, to, length);
  }

  /**
   * Clones from a file of a live file system, which may be this one. Within one, it is one change
   * that may commit what was there before, and is in no file's tree before the next commit. From
   * another one, it is durable afterwards.
   */
  void cloneRange(VolumeDriver from, Clone clone) throws FsException {
    trace = "";
    log("clone from %s", clone);
    from.withHandle(
        clone.source,
        readable ->
            withHandle(
                clone.target,
                writable -> {
                  long done =
                      ((Volume) fs)
                          .cloneRange(
                              (Volume) from.fs,
                              readable,
                              clone.from,
                              writable,
                              clone.to,
                              clone.length);
                  assertEquals(clone.length, done);
                }));
    clone.changes(clone.target);
  }

  /** The same from a file of a snapshot; durable afterwards. */
  void cloneRange(SourceTree snapshot, Clone clone) throws FsException {
    trace = "";
    log("clone from %s, %s", snapshot.name(), clone);
    withHandle(
        clone.target,
        writable -> {
          long done =
              ((Volume) fs)
                  .cloneRange(
                      snapshot, clone.source.inode, clone.from, writable, clone.to, clone.length);
          assertEquals(clone.length, done);
        });
    clone.changes(clone.target);
  }

  /** Copies within this file system, which clones where that is worth it. */
  void copyRange(Clone clone) throws FsException {
    trace = "";
    log("copy from %s", clone);
    withHandle(
        clone.source,
        readable ->
            withHandle(
                clone.target,
                writable -> {
                  FileSystem.Copy copy =
                      new FileSystem.Copy(readable, clone.from, writable, clone.to, clone.length);
                  long done = fs.copyRange(CALLER, copy, false);
                  assertTrue(done == clone.length || !storageErrors.isEmpty(), "copied " + done);
                  int mode = clone.target.mode;
                  clone.withLength((int) done).changes(clone.target);
                  clone.target.mode = mode;
                }));
  }

  private static void killPrivileges(ModelNode file, boolean kill) {
    if (kill) {
      boolean sgidToo = (file.mode & 010) != 0 || file.gid != CALLER.gid();
      file.mode &= sgidToo ? ~06000 : ~04000;
      touched(file);
    }
  }

  private void readSome() throws FsException {
    ModelNode file = pickFile();
    if (file == null) {
      return;
    }
    int offset = pickOffset(file);
    int length = pickLength();
    log("read inode %d at %d, %d bytes, size %d", file.inode, offset, length, file.size());
    withHandle(file, handle -> Model.compareContent(fs, handle, file, "file", offset, length));
  }

  private void truncate() throws FsException {
    ModelNode file = pickFile();
    if (file == null) {
      return;
    }
    int size = random.nextInt(4) == 0 ? file.size() : Math.min(pickOffset(file), FILE_BYTES_MAX);
    log("truncate inode %d from %d to %d", file.inode, file.size(), size);
    if (random.nextInt(5) == 0) {
      fs.release(fs.open(file.inode, Set.of(OpenFlags.WRITE, OpenFlags.TRUNCATE)));
      size = 0;
    } else {
      AttributeChange change =
          new AttributeChange(null, null, null, (long) size, null, null, null, false);
      fs.setAttributes(CALLER, file.inode, null, change);
    }
    file.resize(size);
    Model.compareAttributes(file, fs.getAttributes(file.inode), "truncated");
  }

  private void allocate() throws FsException {
    ModelNode file = pickFile();
    if (file == null) {
      return;
    }
    AllocationMode mode = AllocationMode.values()[random.nextInt(5)];
    int offset = pickOffset(file);
    int length = pickLength();
    int end = offset + length;
    if (end > FILE_BYTES_MAX) {
      return;
    }
    log("%s inode %d at %d, %d bytes, size %d", mode, file.inode, offset, length, file.size());
    withHandle(
        file,
        handle -> {
          fs.allocate(handle, mode, offset, length);
          if (mode != AllocationMode.RESERVE && mode != AllocationMode.RESERVE_KEEP_SIZE) {
            file.zero(offset, end);
          }
          if (mode == AllocationMode.RESERVE || mode == AllocationMode.ZERO_RANGE) {
            file.resize(Math.max(file.size(), end));
          }
          touched(file);
          int from = Math.max(0, offset - random.nextInt(5000));
          Model.compareContent(fs, handle, file, "allocated", from, end - from + 5000);
        });
    Model.compareAttributes(file, fs.getAttributes(file.inode), "allocated");
  }

  private void seek() throws FsException {
    ModelNode file = pickFile();
    if (file == null) {
      return;
    }
    log("seek inode %d, size %d", file.inode, file.size());
    withHandle(
        file,
        handle -> {
          refused(
              FsError.NO_SUCH_DEVICE_OR_OFFSET,
              () -> fs.seek(handle, file.size(), SeekTarget.DATA));
          long at = file.size() == 0 ? 0 : random.nextInt(file.size());
          for (int i = 0; i < 20 && at < file.size(); i++) {
            long data = seekData(handle, file, at);
            checkZeros(file, at, data);
            if (data == file.size()) {
              break;
            }
            long hole = fs.seek(handle, data, SeekTarget.HOLE);
            assertTrue(hole > data && hole <= file.size(), "hole at " + hole);
            at = hole;
          }
        });
  }

  private long seekData(FileHandle handle, ModelNode file, long at) throws FsException {
    try {
      long data = fs.seek(handle, at, SeekTarget.DATA);
      assertTrue(data >= at && data < file.size(), "data at " + data);
      return data;
    } catch (FsException none) {
      rethrowStorageError(none);
      assertEquals(FsError.NO_SUCH_DEVICE_OR_OFFSET, none.error());
      return file.size();
    }
  }

  private static void checkZeros(ModelNode file, long from, long to) {
    for (long i = from; i < to; i++) {
      if (file.byteAt((int) i) != 0) {
        throw new AssertionError("data was taken for a hole, at " + i);
      }
    }
  }

  private void remove() throws FsException {
    ModelNode parent = pickDirectory();
    String name = pickName(parent);
    ModelNode child = parent.entries.get(name);
    boolean directory =
        child == null ? random.nextBoolean() : child.isDirectory() != (random.nextInt(6) == 0);
    log("%s %d/%s", directory ? "rmdir" : "unlink", parent.inode, name);
    FsError error = null;
    if (child == null) {
      error = FsError.NOT_FOUND;
    } else if (!directory && child.isDirectory()) {
      error = FsError.IS_A_DIRECTORY;
    } else if (directory && !child.isDirectory()) {
      error = FsError.NOT_A_DIRECTORY;
    } else if (directory && !child.entries.isEmpty()) {
      error = FsError.NOT_EMPTY;
    }
    byte[] bytes = Model.bytes(name);
    refusedOr(
        error,
        doing(
            () -> {
              if (directory) {
                fs.removeDirectory(parent.inode, bytes);
              } else {
                fs.unlink(parent.inode, bytes);
              }
            }));
    if (error == null) {
      parent.entries.remove(name);
      dropLink(parent, child);
    }
  }

  private static void dropLink(ModelNode parent, ModelNode child) {
    child.nlink = child.isDirectory() ? 0 : child.nlink - 1;
    parent.nlink -= child.isDirectory() ? 1 : 0;
    touched(parent, child);
  }

  private void rename() throws FsException {
    ModelNode parent = pickDirectory();
    ModelNode newParent = random.nextInt(3) == 0 ? parent : pickDirectory();
    String name = pickName(parent);
    String newName = pickName(newParent);
    RenameMode mode =
        switch (random.nextInt(5)) {
          case 0 -> RenameMode.NO_REPLACE;
          case 1 -> RenameMode.EXCHANGE;
          default -> RenameMode.REPLACE;
        };
    log("rename %d/%s to %d/%s %s", parent.inode, name, newParent.inode, newName, mode);
    ModelNode child = parent.entries.get(name);
    ModelNode target = newParent.entries.get(newName);
    FsError error = renameError(parent, child, newParent, target, mode);
    refusedOr(
        error,
        doing(
            () ->
                fs.rename(
                    parent.inode, Model.bytes(name), newParent.inode, Model.bytes(newName), mode)));
    if (error != null || child == target) {
      return;
    }
    touched(parent, newParent, child);
    parent.entries.remove(name);
    if (mode == RenameMode.EXCHANGE) {
      parent.entries.put(name, target);
      moved(target, newParent, parent);
    } else if (target != null) {
      dropLink(newParent, target);
    }
    newParent.entries.put(newName, child);
    moved(child, parent, newParent);
  }

  private static void moved(ModelNode node, ModelNode from, ModelNode to) {
    touched(node);
    if (node.isDirectory()) {
      node.parent = to;
      from.nlink--;
      to.nlink++;
    }
  }

  private static FsError renameError(
      ModelNode parent, ModelNode child, ModelNode newParent, ModelNode target, RenameMode mode) {
    if (child == null) {
      return FsError.NOT_FOUND;
    }
    if (child.isDirectory() && isBelow(newParent, child)) {
      return FsError.INVALID;
    }
    if (mode == RenameMode.EXCHANGE) {
      if (target == null) {
        return FsError.NOT_FOUND;
      }
      return target.isDirectory() && isBelow(parent, target) ? FsError.INVALID : null;
    }
    if (target == null) {
      return null;
    }
    if (mode == RenameMode.NO_REPLACE) {
      return FsError.EXISTS;
    }
    if (child == target) {
      return null;
    }
    if (target.isDirectory() && !child.isDirectory()) {
      return FsError.IS_A_DIRECTORY;
    }
    if (target.isDirectory() && !target.entries.isEmpty()) {
      return FsError.NOT_EMPTY;
    }
    return child.isDirectory() && !target.isDirectory() ? FsError.NOT_A_DIRECTORY : null;
  }

  private static boolean isBelow(ModelNode node, ModelNode above) {
    for (ModelNode at = node; ; at = at.parent) {
      if (at == above) {
        return true;
      }
      if (at.parent == at) {
        return false;
      }
    }
  }

  private void link() throws FsException {
    ModelNode node = random.nextInt(8) == 0 ? pickDirectory() : pickFile();
    ModelNode parent = pickDirectory();
    String name = random.nextInt(4) == 0 ? pickName(parent) : freshName();
    if (node == null) {
      return;
    }
    log("link inode %d as %d/%s", node.inode, parent.inode, name);
    FsError error = null;
    if (parent.entries.containsKey(name)) {
      error = FsError.EXISTS;
    } else if (node.isDirectory()) {
      error = FsError.NOT_PERMITTED;
    } else if (node.nlink == 0) {
      error = FsError.NOT_FOUND;
    }
    Attributes linked =
        refusedOr(error, () -> fs.link(node.inode, parent.inode, Model.bytes(name)));
    if (linked != null) {
      parent.entries.put(name, node);
      node.nlink++;
      touched(node, parent);
      Model.compareAttributes(node, linked, "linked");
      counted(node);
    }
  }

  private ModelNode pickAny() {
    ModelNode file = random.nextBoolean() ? pickFile() : null;
    return file != null ? file : pick(model.all());
  }

  private void xattr() throws FsException {
    ModelNode node = pickAny();
    String name = "user." + (char) ('a' + random.nextInt(5));
    byte[] old = node.xattrs.get(name);
    if (random.nextInt(3) == 0) {
      log("removexattr inode %d %s", node.inode, name);
      FsError error = old == null ? FsError.NO_ATTRIBUTE : null;
      refusedOr(error, doing(() -> fs.removeXattr(node.inode, Model.bytes(name))));
      if (error == null) {
        node.xattrs.remove(name);
        touched(node);
      }
    } else {
      XattrMode mode = XattrMode.values()[random.nextInt(XattrMode.values().length)];
      int bytes =
          random.nextInt(12) == 0 ? 65_536 : random.nextInt(random.nextInt(6) == 0 ? 9000 : 90);
      byte[] value = content(bytes);
      log("setxattr inode %d %s, %d bytes, %s", node.inode, name, bytes, mode);
      FsError error = null;
      if (mode == XattrMode.CREATE && old != null) {
        error = FsError.EXISTS;
      } else if (mode == XattrMode.REPLACE && old == null) {
        error = FsError.NO_ATTRIBUTE;
      }
      refusedOr(error, doing(() -> fs.setXattr(node.inode, Model.bytes(name), value, mode)));
      if (error == null) {
        node.xattrs.put(name, value);
        touched(node);
      }
    }
    Model.compareXattrs(fs, node, "inode " + node.inode);
  }

  private void changeAttributes() throws FsException {
    ModelNode node = pickAny();
    log("chmod, chown, utimes inode %d", node.inode);
    Integer mode = random.nextBoolean() ? random.nextInt(010000) : null;
    Integer uid = random.nextBoolean() ? random.nextInt(5) : null;
    Integer gid = random.nextBoolean() ? random.nextInt(5) : null;
    Timestamp mtime =
        switch (random.nextInt(3)) {
          case 0 -> AttributeChange.NOW;
          case 1 -> new Timestamp(random.nextInt(), random.nextInt(1_000_000_000));
          default -> null;
        };
    Attributes before = fs.getAttributes(node.inode);
    Attributes after =
        fs.setAttributes(
            CALLER,
            node.inode,
            null,
            new AttributeChange(mode, uid, gid, null, mtime, mtime, null, false));
    node.mode = mode == null ? node.mode : mode;
    node.uid = uid == null ? node.uid : uid;
    node.gid = gid == null ? node.gid : gid;
    touched(node);
    if (mtime != null && !mtime.equals(AttributeChange.NOW)) {
      assertEquals(mtime, after.mtime());
      assertEquals(mtime, after.atime());
    } else if (mtime == null) {
      assertEquals(before.mtime(), after.mtime());
    }
    assertTrue(mayGoBack || after.ctime().compareTo(before.ctime()) >= 0, "ctime goes back");
    assertEquals(before.btime(), after.btime());
    Model.compareAttributes(node, after, "changed");
  }

  /** Lists a directory, or lists a part, changes names, and lists the rest. */
  private void directory() throws FsException {
    ModelNode node = pickDirectory();
    log("readdir inode %d", node.inode);
    if (random.nextBoolean()) {
      Model.compareDirectory(fs, node, "inode " + node.inode, random);
      return;
    }
    Map<String, ModelNode> before = new HashMap<>(node.entries);
    Map<String, Integer> visits = new HashMap<>();
    Set<String> changed = new HashSet<>();
    FileHandle handle = fs.openDirectory(node.inode, OpenFlags.READ_ONLY);
    try {
      changeWhileListing(node, handle, visits, changed);
    } finally {
      fs.release(handle);
    }
    for (String name : before.keySet()) {
      if (!changed.contains(name)) {
        assertEquals(1, visits.getOrDefault(name, 0), "visits of " + name);
      }
    }
  }

  private void changeWhileListing(
      ModelNode node, FileHandle handle, Map<String, Integer> visits, Set<String> changed)
      throws FsException {
    long[] cookie = {0};
    int[] room = {1 + random.nextInt(8)};
    fs.readDirectory(
        handle,
        0,
        (name, inode, type, next) -> {
          if (room[0]-- == 0) {
            return false;
          }
          visits.merge(Model.text(name), 1, Integer::sum);
          cookie[0] = next;
          return true;
        });
    for (int i = random.nextInt(4); i > 0 && model.all().size() < NODES_MAX; i--) {
      String name = freshName();
      changed.add(name);
      beforeNextChange.run();
      if (!node.entries.containsKey(name)) {
        Attributes made =
            fs.makeNode(CALLER, node.inode, Model.bytes(name), FileType.REGULAR.format() | 0600, 0);
        counted(added(node, name, made));
      } else if (!node.entries.get(name).isDirectory()) {
        fs.unlink(node.inode, Model.bytes(name));
        dropLink(node, node.entries.remove(name));
      }
    }
    fs.readDirectory(
        handle,
        cookie[0],
        (name, inode, type, next) -> {
          visits.merge(Model.text(name), 1, Integer::sum);
          return true;
        });
  }

  private void lookup() throws FsException {
    ModelNode parent = pickDirectory();
    String name = pickName(parent);
    if (random.nextInt(8) == 0) {
      // What is above the model's root is not in the model.
      boolean above = parent != model.root || parent.parent == parent;
      name = above && random.nextBoolean() ? ".." : ".";
    }
    log("lookup %d/%s", parent.inode, name);
    String wanted = name;
    ModelNode node =
        switch (name) {
          case "." -> parent;
          case ".." -> parent.parent;
          default -> parent.entries.get(name);
        };
    FsError error = node == null ? FsError.NOT_FOUND : null;
    Attributes found = refusedOr(error, () -> fs.lookup(parent.inode, Model.bytes(wanted)));
    if (found != null) {
      Model.compareAttributes(node, found, "looked up");
      counted(node);
      if (node.type == FileType.SYMLINK) {
        assertArrayEquals(node.target, fs.readSymlink(node.inode));
      }
    }
  }

  private void openOrClose() throws FsException {
    if (random.nextInt(4) == 0) {
      forgetSome();
    }
    if (open.size() > 8 || (!open.isEmpty() && random.nextBoolean())) {
      close(random.nextInt(open.size()));
      return;
    }
    ModelNode file = pickFile();
    if (file != null) {
      log("open inode %d", file.inode);
      open.add(new Open(file, fs.open(file.inode, Set.of(OpenFlags.READ, OpenFlags.WRITE))));
    }
  }

  private void close(int index) {
    Open closing = open.remove(index);
    log("close inode %d", closing.node.inode);
    fs.release(closing.handle);
  }

  private void forgetSome() {
    List<ModelNode> held = new ArrayList<>(references.keySet());
    held.sort(java.util.Comparator.comparingLong(node -> node.inode));
    Iterator<ModelNode> nodes = held.iterator();
    while (nodes.hasNext()) {
      ModelNode node = nodes.next();
      if (random.nextBoolean()) {
        log("forget inode %d", node.inode);
        fs.forget(node.inode, references.remove(node));
      }
    }
  }
}
