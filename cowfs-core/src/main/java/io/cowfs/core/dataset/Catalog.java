package io.cowfs.core.dataset;

import static org.lmdbjava.ByteArrayProxy.PROXY_BA;
import static org.lmdbjava.DbiFlags.MDB_CREATE;
import static org.lmdbjava.DbiFlags.MDB_UNSIGNEDKEY;
import static org.lmdbjava.EnvFlags.MDB_NOTLS;

import io.cowfs.core.alloc.OutOfSpaceException;
import io.cowfs.core.alloc.RegionBitmap;
import io.cowfs.core.alloc.SpaceChanges;
import io.cowfs.core.device.DamagedIndexException;
import io.cowfs.core.device.HostFullException;
import io.cowfs.core.device.StorageException;
import io.cowfs.core.txg.LogPosition;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.lmdbjava.CopyFlags;
import org.lmdbjava.CursorIterable;
import org.lmdbjava.CursorIterable.KeyVal;
import org.lmdbjava.Dbi;
import org.lmdbjava.DbiFlags;
import org.lmdbjava.Env;
import org.lmdbjava.KeyRange;
import org.lmdbjava.LmdbException;
import org.lmdbjava.LmdbNativeException;
import org.lmdbjava.Txn;

/**
 * The index of a pool: an LMDB environment, and the only user of it. A commit is one durable write
 * transaction; it is done entirely or not at all.
 *
 * <p>Thread-safe: any number of readers, commits one at a time. {@link #close} waits for all of
 * them, and what comes later fails with an {@link IllegalStateException}, for LMDB itself would
 * take the process down.
 *
 * <p>No error of LMDB leaves this class as an unchecked exception; each becomes one line that names
 * the file.
 */
public final class Catalog implements Closeable {
  static final String DIRECTORY = "index";
  private static final String NEW_DIRECTORY = "index.new";
  private static final String DATA_FILE = "data.mdb";
  private static final String LOCK_FILE = "lock.mdb";
  private static final int FILE_MODE = 0600;
  private static final int MAX_READERS = 16;

  /** The map is only address space: large from the start, for it must not change later. */
  private static final long MIN_MAP_BYTES = 1L << 30;

  private static final long MAX_MAP_BYTES = 64L << 30;

  /** Beyond what the worst fragmentation of a pool needs. */
  private static final int POOL_BYTES_PER_MAP_BYTE = 16;

  private static final int REFERENCES_AT_ONCE = 10_000;

  private static final int RECORDS_AT_ONCE = 1_000;

  private static final int ENOSPC = 28;
  private static final int EDQUOT = 122;

  private final Path file;
  private final Env<byte[]> env;
  private final CatalogReserve reserve;
  private final Databases databases;

  /** Shared by every use of the environment, exclusive for closing it. */
  private final ReadWriteLock use = new ReentrantReadWriteLock();

  /** Guarded by {@link #use}. */
  private boolean closed;

  /** The databases of the environment, in the order of {@link #NAMES}. */
  record Databases(
      Dbi<byte[]> pool,
      Dbi<byte[]> nodes,
      Dbi<byte[]> space,
      Dbi<byte[]> deferred,
      Dbi<byte[]> deadlists,
      Dbi<byte[]> references,
      Dbi<byte[]> condemned,
      Dbi<byte[]> shared,
      Dbi<byte[]> properties) {

    static final List<String> NAMES =
        List.of(
            "pool",
            "nodes",
            "space",
            "deferred",
            "deadlists",
            "references",
            "condemned",
            "shared",
            "properties");

    static Databases open(Env<byte[]> env, DbiFlags... flags) {
      List<Dbi<byte[]>> opened = NAMES.stream().map(name -> env.openDbi(name, flags)).toList();
      return new Databases(
          opened.get(0),
          opened.get(1),
          opened.get(2),
          opened.get(3),
          opened.get(4),
          opened.get(5),
          opened.get(6),
          opened.get(7),
          opened.get(8));
    }

    List<Dbi<byte[]>> all() {
      return List.of(
          pool, nodes, space, deferred, deadlists, references, condemned, shared, properties);
    }

    PoolRecordFormat.Counts counts(Txn<byte[]> txn) {
      return new PoolRecordFormat.Counts(
          nodes.stat(txn).entries,
          space.stat(txn).entries,
          deferred.stat(txn).entries,
          deadlists.stat(txn).entries,
          references.stat(txn).entries,
          condemned.stat(txn).entries,
          shared.stat(txn).entries,
          properties.stat(txn).entries);
    }
  }

  /**
   * A stored piece of a list of references.
   *
   * @param key to drop it by
   */
  record Chunk(byte[] key, ReferenceList references) {}

  private Catalog(Path file, Env<byte[]> env, CatalogReserve reserve, Databases databases) {
    this.file = file;
    this.env = env;
    this.reserve = reserve;
    this.databases = databases;
  }

  /**
   * Makes the index of a new pool, durably, with the state before its first txg.
   *
   * @param poolDirectory exists, and has no index yet
   * @param capacityBytes the most that the pool can hold; 0 for no limit
   */
  public static Catalog create(Path poolDirectory, UUID pool, long capacityBytes)
      throws IOException {
    return createWithMap(poolDirectory, pool, mapBytes(capacityBytes));
  }

  /** With a limit for the index itself. */
  static Catalog createWithMap(Path poolDirectory, UUID pool, long mapBytes) throws IOException {
    return createIn(poolDirectory.resolve(DIRECTORY), pool, mapBytes);
  }

  /**
   * Makes an empty index beside the one of a pool, for {@link #install}, over an unfinished one.
   */
  static Catalog createAside(Path poolDirectory, UUID pool, long capacityBytes) throws IOException {
    removeAside(poolDirectory);
    return createIn(poolDirectory.resolve(NEW_DIRECTORY), pool, mapBytes(capacityBytes));
  }

  /** Removes what {@link #createAside} made, if anything; it must be closed. */
  static void removeAside(Path poolDirectory) throws IOException {
    Path aside = poolDirectory.resolve(NEW_DIRECTORY);
    Files.deleteIfExists(aside.resolve(DATA_FILE));
    Files.deleteIfExists(aside.resolve(LOCK_FILE));
    Files.deleteIfExists(aside);
  }

  /**
   * Puts the index that was made aside, and is closed, in the place of the pool's own, durably. A
   * crash leaves the old one or the new one in place. The old one is kept under another name.
   *
   * @param suffix of this name, which is free
   * @return the old one; null when there was none
   */
  static Path install(Path poolDirectory, String suffix) throws IOException {
    Path made = poolDirectory.resolve(NEW_DIRECTORY).resolve(DATA_FILE);
    Path directory = poolDirectory.resolve(DIRECTORY);
    Path file = directory.resolve(DATA_FILE);
    Path kept = null;
    if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      Files.createDirectory(directory);
      syncDirectory(poolDirectory);
    }
    if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      kept = directory.resolve(DATA_FILE + suffix);
      Files.createLink(kept, file);
      syncDirectory(directory);
    }
    try (FileChannel channel = FileChannel.open(made, StandardOpenOption.READ)) {
      channel.force(true);
    }
    Files.move(made, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    syncDirectory(directory);
    removeAside(poolDirectory);
    syncDirectory(poolDirectory);
    return kept;
  }

  /**
   * Opens a copy of a backup, made aside for {@link #install}, over an unfinished index.
   *
   * @throws DamagedIndexException when it is damaged or belongs to another pool
   */
  static Catalog openAside(Path poolDirectory, Path backup, UUID pool, long capacityBytes)
      throws IOException {
    removeAside(poolDirectory);
    Path file = Files.createDirectory(poolDirectory.resolve(NEW_DIRECTORY)).resolve(DATA_FILE);
    Files.copy(backup, file);
    return openChecked(file, pool, capacityBytes);
  }

  private static Catalog createIn(Path directory, UUID pool, long mapBytes) throws IOException {
    if (Files.exists(directory)) {
      throw new CatalogException(directory + " exists already");
    }
    Files.createDirectory(directory);
    Path file = directory.resolve(DATA_FILE);
    Catalog catalog = open(file, mapBytes, MDB_UNSIGNEDKEY, MDB_CREATE);
    try {
      catalog.keepReserve();
      catalog.writeFirstRecord(
          new PoolRecord(pool, 0, 1, 1, Optional.empty(), 0, LogPosition.START));
      syncDirectory(directory);
      syncDirectory(directory.toAbsolutePath().getParent());
      return catalog;
    } catch (IOException e) {
      catalog.close();
      throw e;
    }
  }

  /**
   * Opens the index of a pool whose lock the caller holds.
   *
   * @throws DamagedIndexException when it is damaged or belongs to another pool
   */
  public static Catalog open(Path poolDirectory, UUID pool, long capacityBytes) throws IOException {
    Path file = poolDirectory.resolve(DIRECTORY).resolve(DATA_FILE);
    if (!Files.isRegularFile(file)) {
      throw new DamagedIndexException("the index " + file + " is missing");
    }
    return openChecked(file, pool, capacityBytes);
  }

  private static Catalog openChecked(Path file, UUID pool, long capacityBytes) throws IOException {
    IndexPageCheck.check(file);
    Catalog catalog = open(file, mapBytes(capacityBytes), MDB_UNSIGNEDKEY);
    try {
      catalog.requirePool(pool);
      return catalog;
    } catch (IOException e) {
      catalog.close();
      throw e;
    }
  }

  /** MDB_UNSIGNEDKEY is lmdbjava's own: its end of a range is compared as LMDB does it. */
  private static Catalog open(Path file, long mapBytes, DbiFlags... flags) throws IOException {
    Env<byte[]> env = null;
    CatalogReserve reserve = null;
    try {
      env =
          Env.create(PROXY_BA)
              .setMapSize(mapBytes)
              .setMaxDbs(Databases.NAMES.size())
              .setMaxReaders(MAX_READERS)
              .open(file.getParent().toFile(), FILE_MODE, MDB_NOTLS);
      env.readerCheck();
      reserve = new CatalogReserve(file, mapBytes);
      return new Catalog(file, env, reserve, Databases.open(env, flags));
    } catch (LmdbException e) {
      closeAfter(e, env, reserve);
      throw failure(file, e);
    } catch (IOException e) {
      closeAfter(e, env, reserve);
      throw e;
    }
  }

  /** The reserve after LMDB, and both as far as they were opened. */
  private static void closeAfter(Exception failure, Env<byte[]> env, CatalogReserve reserve) {
    if (env != null) {
      env.close();
    }
    if (reserve != null) {
      try {
        reserve.close();
      } catch (IOException closing) {
        failure.addSuppressed(closing);
      }
    }
  }

  private static long mapBytes(long capacityBytes) {
    if (capacityBytes == 0) {
      return MAX_MAP_BYTES;
    }
    return Math.max(
        MIN_MAP_BYTES, Math.min(MAX_MAP_BYTES, capacityBytes / POOL_BYTES_PER_MAP_BYTE));
  }

  /**
   * Reads everything and verifies every record.
   *
   * @throws DamagedIndexException when a record is damaged or lost
   */
  public CatalogState load() throws IOException {
    return reading(txn -> new CatalogLoad(databases, txn).load());
  }

  /** The directory that has the index among other files. */
  public Path poolDirectory() {
    return file.getParent().getParent();
  }

  /** The file's name, for messages. */
  public String name() {
    return file.toString();
  }

  /** The txg of the last commit, and what else is known of the pool as a whole. */
  public PoolRecord pool() throws IOException {
    return reading(txn -> CatalogLoad.pool(databases, txn));
  }

  /** The members of a mirror, by number; empty where nothing was committed of them. */
  public List<MemberRecord> members() throws IOException {
    return reading(txn -> CatalogLoad.members(databases, txn));
  }

  /** The last scrub; empty when there was none. */
  public Optional<ScrubLog> scrub() throws IOException {
    return reading(txn -> CatalogLoad.scrub(databases, txn));
  }

  /**
   * Reads every record and verifies its seal, in pieces, while commits go on.
   *
   * @throws DamagedPoolException with the first one that is damaged
   */
  public void verify() throws IOException {
    for (Dbi<byte[]> database : databases.all()) {
      Optional<byte[]> last = Optional.empty();
      do {
        KeyRange<byte[]> rest = last.map(KeyRange::greaterThan).orElse(KeyRange.all());
        last = reading(txn -> verifySome(txn, database, rest));
      } while (last.isPresent());
    }
  }

  /** Returns the last key that was read; nothing at the end. */
  private static Optional<byte[]> verifySome(
      Txn<byte[]> txn, Dbi<byte[]> database, KeyRange<byte[]> range) throws BadRecordException {
    int count = 0;
    try (CursorIterable<byte[]> records = database.iterate(txn, range)) {
      for (KeyVal<byte[]> each : records) {
        CatalogFormat.unseal(each.key(), each.val());
        count++;
        if (count == RECORDS_AT_ONCE) {
          return Optional.of(each.key());
        }
      }
    }
    return Optional.empty();
  }

  /** Reports the parts of a deadlist with their sectors; none where there is no such list. */
  void readDeadlist(long deadlist, Deadlists.PartVisitor visitor) throws IOException {
    reading(
        txn -> {
          KeyRange<byte[]> range =
              KeyRange.closed(
                  CatalogFormat.deadlistKey(deadlist, 0, 0),
                  CatalogFormat.deadlistKey(deadlist, -1, -1));
          try (CursorIterable<byte[]> parts = databases.deadlists.iterate(txn, range)) {
            for (KeyVal<byte[]> each : parts) {
              byte[] content = CatalogFormat.unseal(each.key(), each.val());
              visitor.part(
                  CatalogLoad.deadlistPart(each.key()), DeadlistPartFormat.decode(content));
            }
          }
          return null;
        });
  }

  /**
   * The first chunks of a list of references, whole.
   *
   * @param references that are wanted; there may be fewer, or some more
   */
  List<Chunk> readChunks(long list, long references) throws IOException {
    return readChunks(chunksOf(list), references);
  }

  private List<Chunk> readChunks(KeyRange<byte[]> range, long references) throws IOException {
    return reading(
        txn -> {
          long lastTxg = CatalogLoad.pool(databases, txn).txg();
          List<Chunk> chunks = new ArrayList<>();
          long found = 0;
          try (CursorIterable<byte[]> stored = databases.references.iterate(txn, range)) {
            for (KeyVal<byte[]> each : stored) {
              if (found >= references) {
                break;
              }
              ReferenceList chunk = new ReferenceList();
              ReferenceChunkFormat.decode(
                  CatalogFormat.unseal(each.key(), each.val()), lastTxg, chunk::add);
              chunks.add(new Chunk(each.key(), chunk));
              found += chunk.size();
            }
          }
          return chunks;
        });
  }

  /** The keys of the first chunks of a list of references. */
  List<byte[]> chunkKeys(long list, int count) throws IOException {
    return reading(
        txn -> {
          List<byte[]> keys = new ArrayList<>();
          try (CursorIterable<byte[]> stored = databases.references.iterate(txn, chunksOf(list))) {
            for (KeyVal<byte[]> each : stored) {
              if (keys.size() == count) {
                break;
              }
              keys.add(each.key());
            }
          }
          return keys;
        });
  }

  /** Reports all references in a list, in memory that does not grow with it. */
  void forEachReference(long list, ReferenceList.Visitor visitor) throws IOException {
    KeyRange<byte[]> all = chunksOf(list);
    List<Chunk> chunks = readChunks(all, REFERENCES_AT_ONCE);
    while (!chunks.isEmpty()) {
      for (Chunk chunk : chunks) {
        chunk.references().forEach(visitor);
      }
      byte[] last = chunks.get(chunks.size() - 1).key();
      chunks = readChunks(KeyRange.openClosed(last, all.getStop()), REFERENCES_AT_ONCE);
    }
  }

  /** What was destroyed and is not freed yet, from old to new. */
  List<Condemned> condemned() throws IOException {
    return reading(txn -> new CatalogLoad(databases, txn).condemned());
  }

  /** As {@link SharedRanges.Source} has it. */
  void readShared(long sector, long end, SharedRanges.Visitor visitor) throws IOException {
    reading(
        txn -> {
          byte[] from = CatalogFormat.sharedKey(firstSharedOver(txn, sector));
          KeyRange<byte[]> range = KeyRange.closedOpen(from, CatalogFormat.sharedKey(end));
          try (CursorIterable<byte[]> ranges = databases.shared.iterate(txn, range)) {
            for (KeyVal<byte[]> each : ranges) {
              SharedRange shared = CatalogLoad.sharedRange(each.key(), each.val());
              if (shared.end() > sector) {
                visitor.range(shared);
              }
            }
          }
          return null;
        });
  }

  /** Where a range begins that may reach over a sector. */
  private long firstSharedOver(Txn<byte[]> txn, long sector) throws BadRecordException {
    try (CursorIterable<byte[]> before =
        databases.shared.iterate(txn, KeyRange.atLeastBackward(CatalogFormat.sharedKey(sector)))) {
      for (KeyVal<byte[]> each : before) {
        return CatalogLoad.sharedRange(each.key(), each.val()).sector();
      }
    }
    return sector;
  }

  /**
   * Writes everything that a txg changes as one transaction; durable when this returns. After an
   * error the last commit still stands, and whether this one is durable is not known where the
   * error came from the device.
   *
   * @throws OutOfSpaceException when the index has reached its own limit
   * @throws HostFullException when the host has no space for it
   */
  public void commit(CommitBatch batch) throws IOException {
    commit(batch, Optional.empty());
  }

  /**
   * The same, with the members of a mirror as they are from this txg on.
   *
   * @param members empty where they are as before
   */
  public synchronized void commit(CommitBatch batch, Optional<List<MemberRecord>> members)
      throws IOException {
    using(
        () -> {
          try (Txn<byte[]> txn = env.txnWrite()) {
            writeNodes(txn, batch.history());
            writeSpace(txn, batch.txg(), batch.space());
            writeDeadlists(txn, batch);
            writeCondemned(txn, batch);
            writeShared(txn, batch);
            batch.scrub().ifPresent(scrub -> writeScrub(txn, scrub));
            members.ifPresent(table -> writeMembers(txn, table));
            writePool(txn, batch.pool());
            txn.commit();
          }
          return null;
        });
    keepReserve();
  }

  /**
   * Claims host space for the commits to come. Each commit does so for the next one; whoever opens
   * the index does it first of all changes, once nothing of the pool was found damaged.
   */
  public synchronized void keepReserve() throws IOException {
    using(
        () -> {
          reserve.keep(usedBytesOf(env));
          return null;
        });
  }

  private static long usedBytesOf(Env<byte[]> env) {
    return (env.info().lastPageNumber + 1) * env.stat().pageSize;
  }

  /** What the file uses of the space that it takes, in bytes; a copy is not larger. */
  long usedBytes() throws IOException {
    return using(() -> usedBytesOf(env));
  }

  /**
   * Writes a compacted copy of the last commit aside, over an unfinished index; not durable yet.
   *
   * @return the copy; {@link #removeAside} removes it, also after an error
   */
  Path copyAside(Path poolDirectory) throws IOException {
    removeAside(poolDirectory);
    Path directory = Files.createDirectory(poolDirectory.resolve(NEW_DIRECTORY));
    return using(
        () -> {
          env.copy(directory.toFile(), CopyFlags.MDB_CP_COMPACT);
          return directory.resolve(DATA_FILE);
        });
  }

  private void writeFirstRecord(PoolRecord pool) throws IOException {
    using(
        () -> {
          try (Txn<byte[]> txn = env.txnWrite()) {
            writePool(txn, pool);
            txn.commit();
          }
          return null;
        });
  }

  private void writeNodes(Txn<byte[]> txn, HistoryChanges history) {
    for (int node : history.removed()) {
      databases.nodes.delete(txn, CatalogFormat.nodeKey(node));
      deleteAll(txn, databases.properties, propertiesOf(node));
    }
    for (NodeRecord node : history.changed()) {
      put(txn, databases.nodes, CatalogFormat.nodeKey(node.id()), NodeRecordFormat.encode(node));
    }
    for (Map.Entry<Integer, PropertySet> each : history.properties().entrySet()) {
      deleteAll(txn, databases.properties, propertiesOf(each.getKey()));
      int chunk = 0;
      for (byte[] part : PropertyChunks.split(each.getValue())) {
        put(txn, databases.properties, CatalogFormat.propertyKey(each.getKey(), chunk++), part);
      }
    }
  }

  private void writeSpace(Txn<byte[]> txn, long txg, SpaceChanges space) {
    for (RegionBitmap region : space.regions()) {
      put(txn, databases.space, CatalogFormat.spaceKey(region.region()), region.bits());
    }
    for (long released : space.releasedTxgs()) {
      deleteAll(
          txn,
          databases.deferred,
          KeyRange.closed(
              CatalogFormat.deferredKey(released, 0), CatalogFormat.deferredKey(released, -1)));
    }
    byte[] freed = space.deferredFrees();
    int chunk = 0;
    for (int from = 0; from < freed.length; from += CatalogFormat.DEFERRED_CHUNK_BYTES) {
      int to = Math.min(freed.length, from + CatalogFormat.DEFERRED_CHUNK_BYTES);
      put(
          txn,
          databases.deferred,
          CatalogFormat.deferredKey(txg, chunk++),
          Arrays.copyOfRange(freed, from, to));
    }
  }

  private void writeDeadlists(Txn<byte[]> txn, CommitBatch batch) {
    for (byte[] chunk : batch.droppedChunks()) {
      databases.references.delete(txn, chunk);
    }
    for (Map.Entry<DeadlistPart, Long> each : batch.deadlists().parts().entrySet()) {
      DeadlistPart part = each.getKey();
      byte[] key = CatalogFormat.deadlistKey(part.deadlist(), part.bornAfter(), part.list());
      if (each.getValue() == null) {
        databases.deadlists.delete(txn, key);
      } else {
        put(txn, databases.deadlists, key, DeadlistPartFormat.encode(each.getValue()));
      }
    }
    for (Map.Entry<Long, ReferenceList> append : batch.deadlists().appended().entrySet()) {
      ReferenceList references = append.getValue();
      int chunk = 0;
      for (int i = 0; i < references.size(); i += ReferenceChunkFormat.MAX_ENTRIES) {
        put(
            txn,
            databases.references,
            CatalogFormat.referenceKey(append.getKey(), batch.txg(), chunk++),
            ReferenceChunkFormat.encode(references, i));
      }
    }
  }

  private void writeCondemned(Txn<byte[]> txn, CommitBatch batch) {
    for (Map.Entry<Long, Condemned> each : batch.condemned().entrySet()) {
      byte[] key = CatalogFormat.condemnedKey(each.getKey());
      if (each.getValue() == null) {
        databases.condemned.delete(txn, key);
      } else {
        put(txn, databases.condemned, key, CondemnedFormat.encode(each.getValue()));
      }
    }
  }

  private void writeShared(Txn<byte[]> txn, CommitBatch batch) {
    for (Map.Entry<Long, SharedRange> each : batch.shared().entrySet()) {
      byte[] key = CatalogFormat.sharedKey(each.getKey());
      if (each.getValue() == null) {
        databases.shared.delete(txn, key);
      } else {
        put(txn, databases.shared, key, SharedRangeFormat.encode(each.getValue()));
      }
    }
  }

  private void writeScrub(Txn<byte[]> txn, ScrubChange scrub) {
    int findings = scrub.kept();
    deleteAll(
        txn,
        databases.pool,
        KeyRange.closedOpen(CatalogFormat.scrubFindingKey(findings), CatalogFormat.membersKey()));
    for (String finding : scrub.added()) {
      byte[] text = CatalogFormat.findingText(finding);
      put(txn, databases.pool, CatalogFormat.scrubFindingKey(findings++), text);
    }
    byte[] record = ScrubRecordFormat.encode(scrub.record(), findings);
    put(txn, databases.pool, CatalogFormat.scrubKey(), record);
  }

  private void writeMembers(Txn<byte[]> txn, List<MemberRecord> members) {
    byte[] key = CatalogFormat.membersKey();
    put(txn, databases.pool, key, MemberTableFormat.encode(members));
  }

  private void writePool(Txn<byte[]> txn, PoolRecord pool) {
    byte[] record = PoolRecordFormat.encode(pool, databases.counts(txn));
    put(txn, databases.pool, CatalogFormat.poolKey(), record);
  }

  private static void put(Txn<byte[]> txn, Dbi<byte[]> database, byte[] key, byte[] content) {
    database.put(txn, key, CatalogFormat.seal(key, content));
  }

  /** Keys are gathered first: a cursor does not survive changes beside it. */
  private static void deleteAll(Txn<byte[]> txn, Dbi<byte[]> database, KeyRange<byte[]> range) {
    List<byte[]> keys = new ArrayList<>();
    try (CursorIterable<byte[]> records = database.iterate(txn, range)) {
      for (KeyVal<byte[]> each : records) {
        keys.add(each.key());
      }
    }
    for (byte[] key : keys) {
      database.delete(txn, key);
    }
  }

  private static KeyRange<byte[]> chunksOf(long list) {
    return KeyRange.closed(
        CatalogFormat.referenceKey(list, 0, 0), CatalogFormat.referenceKey(list, -1, -1));
  }

  private static KeyRange<byte[]> propertiesOf(int node) {
    return KeyRange.closed(CatalogFormat.propertyKey(node, 0), CatalogFormat.propertyKey(node, -1));
  }

  private void requirePool(UUID pool) throws IOException {
    UUID actual = pool().pool();
    if (!actual.equals(pool)) {
      throw new DamagedIndexException(
          "the index %s belongs to the pool %s, not to %s".formatted(file, actual, pool));
    }
  }

  /** Waits for readers and a running commit, then closes the environment. Idempotent. */
  @Override
  public void close() throws IOException {
    use.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        env.close();
        reserve.close();
      }
    } finally {
      use.writeLock().unlock();
    }
  }

  @FunctionalInterface
  private interface Use<R> {
    R run() throws IOException, BadRecordException;
  }

  @FunctionalInterface
  private interface Read<R> {
    R run(Txn<byte[]> txn) throws IOException, BadRecordException;
  }

  private <R> R reading(Read<R> read) throws IOException {
    return using(
        () -> {
          try (Txn<byte[]> txn = env.txnRead()) {
            return read.run(txn);
          }
        });
  }

  private <R> R using(Use<R> operation) throws IOException {
    use.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException("the index " + file + " is closed");
      }
      return operation.run();
    } catch (BadRecordException e) {
      throw new DamagedIndexException("the index %s: %s".formatted(file, e.getMessage()), e);
    } catch (LmdbException e) {
      throw failure(file, e);
    } finally {
      use.readLock().unlock();
    }
  }

  private static StorageException failure(Path file, LmdbException e) {
    String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    if (e instanceof Env.MapFullException) {
      return new OutOfSpaceException("the index %s has reached its size limit".formatted(file), e);
    }
    if (e instanceof LmdbNativeException.PageCorruptedException
        || e instanceof LmdbNativeException.PageNotFoundException
        || e instanceof Env.FileInvalidException
        || e instanceof Env.VersionMismatchException
        || e instanceof Dbi.KeyNotFoundException
        || e instanceof Dbi.IncompatibleException) {
      return new DamagedIndexException("the index %s is damaged: %s".formatted(file, message), e);
    }
    if (e instanceof LmdbNativeException error
        && (error.getResultCode() == ENOSPC || error.getResultCode() == EDQUOT)) {
      return new HostFullException("no space left for the index " + file, e);
    }
    return new CatalogException("the index %s: %s".formatted(file, message), e);
  }

  static void syncDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
