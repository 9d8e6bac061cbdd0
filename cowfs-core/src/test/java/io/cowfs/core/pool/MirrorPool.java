package io.cowfs.core.pool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.core.block.BlockStore;
import io.cowfs.core.block.CacheLimits;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.FaultInjectingDevice;
import io.cowfs.core.device.MemberState;
import io.cowfs.core.device.NewDevice.Overwrite;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * A pool over several devices in memory, each of which can fail, be away, and come back. What is
 * written goes into whole files, of which it knows the content. Not thread-safe.
 */
final class MirrorPool implements AutoCloseable {
  private final Path base;
  private final Path directory;
  private final Map<Path, FaultInjectingDevice> devices = new HashMap<>();
  private final TreeMap<String, byte[]> contents = new TreeMap<>();
  private final Random random;
  private Pool pool;
  private BiConsumer<Path, FaultInjectingDevice> faults = (file, opened) -> {};

  private MirrorPool(Path base, long seed) {
    this.base = base;
    this.directory = base.resolve("pool");
    this.random = new Random(seed);
  }

  /** A new pool, open, with members a, b and so on; with none, one without a mirror. */
  static MirrorPool create(Path base, int members, long seed) throws IOException {
    MirrorPool made = new MirrorPool(base.toRealPath(), seed);
    List<NewMember> mirror = new ArrayList<>();
    for (int i = 0; i < members; i++) {
      mirror.add(made.newMember(i));
    }
    Pool.create(
        made.directory,
        new Pool.CreateOptions(64L << 20, CompressionSetting.NONE, null, mirror),
        made.environment());
    made.open();
    return made;
  }

  NewMember newMember(int number) {
    return new NewMember(place(number), Overwrite.REFUSE);
  }

  Path place(int number) {
    return base.resolve(String.valueOf((char) ('a' + number)));
  }

  private Path file(int number) {
    return place(number).resolve("data");
  }

  Path directory() {
    return directory;
  }

  private Environment environment() {
    return new Environment(
        new MemoryDevices(),
        TestPool.ON_DEMAND,
        CacheLimits.DEFAULT,
        Clock.systemUTC(),
        new Environment.Execution(
            System::nanoTime,
            BlockStore::writingThreads,
            BlockStore::readingThreads,
            () -> Runnable::run,
            UUID::randomUUID,
            ThreadOfRounds::start));
  }

  private final class MemoryDevices implements Environment.Devices {
    @Override
    public BlockDevice create(Path file, long capacityBytes) throws IOException {
      Files.createFile(file);
      devices.put(file.toRealPath(), new FaultInjectingDevice(64L << 20));
      return open(file, capacityBytes);
    }

    @Override
    public BlockDevice open(Path file, long capacityBytes) throws IOException {
      Path real = file.toRealPath();
      devices.put(real, devices.get(real).reopen());
      faults.accept(real, devices.get(real));
      return devices.get(real);
    }
  }

  Pool pool() {
    return pool;
  }

  FaultInjectingDevice device(int number) {
    return devices.get(file(number));
  }

  /** Of a pool that has no mirror. */
  FaultInjectingDevice soleDevice() {
    return devices.get(directory.resolve("data"));
  }

  /** Of a pool that is closed. */
  void replaceDevice(int number, FaultInjectingDevice other) {
    devices.put(file(number), other);
  }

  /** What a device will do from each opening on. */
  void setFaults(int number, Consumer<FaultInjectingDevice> newFaults) {
    faults =
        (file, opened) -> {
          if (file.equals(file(number))) {
            newFaults.accept(opened);
          }
        };
  }

  void open() throws IOException {
    pool = Pool.open(directory, environment());
  }

  IndexRecovery.Result rebuildIndex() throws IOException {
    return IndexRecovery.run(directory, environment());
  }

  @Override
  public void close() throws IOException {
    if (pool != null) {
      Pool closing = pool;
      pool = null;
      closing.close();
    }
  }

  /** The power of everything fails. */
  void crash() {
    Map<Path, FaultInjectingDevice> survivors = new HashMap<>();
    devices.forEach((file, device) -> survivors.put(file, device.crash(random)));
    try {
      close();
    } catch (IOException expected) {
      // The last changes could not be committed.
    }
    devices.putAll(survivors);
  }

  /** The process ends at once; the devices keep all that was written. */
  void kill() {
    Map<Path, FaultInjectingDevice> survivors = new HashMap<>();
    devices.forEach((file, device) -> survivors.put(file, device.reopen()));
    try {
      close();
    } catch (IOException expected) {
      // The last changes could not be committed.
    }
    devices.putAll(survivors);
  }

  /** One commit, which changes nothing of files. */
  void commit() throws IOException {
    pool.administration().inheritProperty("root", null, "user:none");
  }

  /** The device of a member is not there any more; the pool is closed. */
  void takeAway(int number) throws IOException {
    Files.delete(file(number));
  }

  void putBack(int number) throws IOException {
    Files.createFile(file(number));
  }

  List<MemberState> states() {
    return pool.mirror().devices().stream().map(DeviceStatus::state).toList();
  }

  /** Has those that are behind catch up, and waits for it. */
  void resilver() {
    pool.mirror().goOn();
    pool.mirror().awaitResilver();
  }

  private FileSystem files() throws IOException {
    return pool.fileSystem("root");
  }

  /** Durable when it returns, or else nothing is said of it. */
  void write(String name, int bytes) throws IOException, FsException {
    put(name, bytes);
    pool.sync();
  }

  /** The same, by an fsync of the file, which need not commit. */
  void sync(String name, int bytes) throws IOException, FsException {
    files().sync(Caller.ROOT, put(name, bytes), false);
  }

  /** Returns its inode. */
  private long put(String name, int bytes) throws IOException, FsException {
    byte[] content = new byte[bytes];
    random.nextBytes(content);
    FileHandle file =
        files()
            .create(Caller.ROOT, FileSystem.ROOT_INODE, name.getBytes(UTF_8), 0644, Set.of())
            .handle();
    try {
      files().write(Caller.ROOT, file, 0, ByteBuffer.wrap(content), false);
    } finally {
      files().release(file);
    }
    contents.put(name, content);
    return files().lookup(FileSystem.ROOT_INODE, name.getBytes(UTF_8)).inode();
  }

  /** All that is durable is there, nothing else, and the books are right. */
  void verify() throws IOException, FsException {
    pool.auditSources().store().dropCaches();
    for (Map.Entry<String, byte[]> each : contents.entrySet()) {
      long inode = files().lookup(FileSystem.ROOT_INODE, each.getKey().getBytes(UTF_8)).inode();
      FileHandle file = files().open(inode, Set.of());
      ByteBuffer read = ByteBuffer.allocate(each.getValue().length);
      assertEquals(each.getValue().length, files().read(file, 0, read.capacity(), read));
      assertArrayEquals(each.getValue(), read.array(), each.getKey());
      files().release(file);
      files().forget(inode, 1);
    }
    assertEquals(List.of(), pool.audit());
  }
}
