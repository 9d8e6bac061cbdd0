package io.cowfs.core.pool;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.Reference;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.pool.PoolAdministration.Mode;
import io.cowfs.core.pool.PoolAdministration.Scope;
import io.cowfs.core.scrub.SpaceAudit;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileSystem.Copy;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.core.vfs.XattrMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** A small pool that has something of everything. Confined to one thread. */
final class SamplePool {
  private static final long ROOT = FileSystem.ROOT_INODE;

  private final Random random = new Random(4);
  private FileSystem fs;

  private SamplePool() {}

  /** Where things are on the device, by sectors. */
  record Places(BitSet nodes, BitSet extents) {}

  /** Makes one in a directory, and closes it. */
  static void make(Path directory) throws IOException, FsException {
    Pool.create(
        directory, new Pool.CreateOptions(Pool.CAPACITY_BYTES_MIN, CompressionSetting.NONE, null));
    try (Pool pool = Pool.open(directory)) {
      new SamplePool().fill(pool);
      // Lists of what was destroyed go in later commits.
      for (int i = 0; i < 4; i++) {
        pool.administration().inheritProperty("root", null, "user:none");
      }
    }
  }

  private void fill(Pool pool) throws IOException, FsException {
    PoolAdministration administration = pool.administration();
    administration.createDataset("packed", Map.of("compression", "lz4"));
    administration.setProperties("packed", null, Map.of("user:note", "what is it?"));
    for (String dataset : new String[] {"root", "packed"}) {
      fs = pool.fileSystem(dataset);
      files();
      for (int round = 0; round < 3; round++) {
        overwrite("large", round * 10_000, 5_000);
        overwrite("small" + round, 0, 900);
        create(ROOT, "later" + round, content(2_500 * round + 500));
        fs.syncAll();
        administration.snapshot(dataset, "s" + round, Scope.ONE);
      }
      fs.unlink(ROOT, bytes("medium"));
      fs.syncAll();
      administration.destroySnapshots(dataset, "s1", Scope.ONE, Mode.EXECUTE);
      administration.hold(dataset, "s2", "kept");
    }
    administration.cloneSnapshot("root", "s2", "copy", Map.of());
    fs = pool.fileSystem("copy");
    overwrite("large", 1_000, 3_000);
    fs.syncAll();
    pool.sync();
  }

  private void files() throws FsException {
    create(ROOT, "large", content(60_000));
    create(ROOT, "medium", content(20_000));
    create(ROOT, "empty", new byte[0]);
    create(ROOT, "sparse", new byte[] {7});
    overwrite("sparse", 40_000, 100);
    for (int i = 0; i < 8; i++) {
      create(ROOT, "small" + i, content(200 + 260 * i));
    }
    long directory = fs.makeDirectory(Caller.ROOT, ROOT, bytes("directory"), 0755).inode();
    for (int i = 0; i < 24; i++) {
      create(directory, "entry-with-a-longer-name-" + i, content(i));
    }
    fs.makeSymlink(Caller.ROOT, directory, bytes("link"), bytes("../large"));
    long large = fs.lookup(ROOT, bytes("large")).inode();
    fs.link(large, directory, bytes("hard"));
    fs.setXattr(large, bytes("user.short"), bytes("value"), XattrMode.CREATE_OR_REPLACE);
    fs.setXattr(large, bytes("user.long"), content(6_000), XattrMode.CREATE_OR_REPLACE);
    fs.syncAll();
    FileHandle from = fs.open(large, OpenFlags.READ_ONLY);
    FileSystem.Created clone = fs.create(Caller.ROOT, ROOT, bytes("cloned"), 0644, Set.of());
    fs.copyRange(Caller.ROOT, new Copy(from, 0, clone.handle(), 0, 40_960), false);
    fs.release(from);
    fs.release(clone.handle());
    fs.syncAll();
  }

  /** Half of it can be compressed. */
  private byte[] content(int length) {
    byte[] content = new byte[length];
    random.nextBytes(content);
    for (int at = 0; at < length; at += 4_096) {
      Arrays.fill(content, at, Math.min(length, at + 2_048), (byte) random.nextInt(100));
    }
    return content;
  }

  private void create(long directory, String name, byte[] content) throws FsException {
    FileSystem.Created created =
        fs.create(Caller.ROOT, directory, bytes(name), 0640, Set.of(OpenFlags.WRITE));
    fs.write(Caller.ROOT, created.handle(), 0, ByteBuffer.wrap(content), false);
    fs.release(created.handle());
    fs.forget(created.attributes().inode(), 1);
  }

  private void overwrite(String name, long offset, int length) throws FsException {
    FileHandle handle = fs.open(fs.lookup(ROOT, bytes(name)).inode(), Set.of(OpenFlags.WRITE));
    fs.write(Caller.ROOT, handle, offset, ByteBuffer.wrap(content(length)), false);
    fs.release(handle);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  /** What is where in a pool that is open. */
  static Places places(Pool pool) throws IOException {
    Places places = new Places(new BitSet(), new BitSet());
    SpaceAudit.Sources now = pool.auditSources();
    NodeVisitor visitor =
        new NodeVisitor() {
          @Override
          public void item(Key key, byte[] source, int offset, int length) throws IOException {
            byte[] value = Arrays.copyOfRange(source, offset, offset + length);
            DataExtent extent = now.items().extentOf(key, value);
            if (extent != null) {
              set(places.extents, extent);
            }
          }

          @Override
          public void node(BlockPointer block, int level) {
            set(places.nodes, block);
          }
        };
    for (NodeRecord node : now.nodes()) {
      new Tree(node.root().orElse(null), now.store()::readBlock).walk(-1, visitor);
    }
    BlockPointer directory = now.directoryRoot();
    set(places.nodes, directory);
    return places;
  }

  private static void set(BitSet all, Reference reference) {
    reference.forEachPlace(
        (sector, sectors, birthTxg) -> all.set((int) sector, (int) sector + sectors));
  }
}
