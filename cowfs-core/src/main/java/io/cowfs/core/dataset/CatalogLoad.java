package io.cowfs.core.dataset;

import io.cowfs.core.alloc.RegionBitmap;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.lmdbjava.CursorIterable;
import org.lmdbjava.CursorIterable.KeyVal;
import org.lmdbjava.Dbi;
import org.lmdbjava.Txn;

/** Reads the whole index within one read transaction and verifies each record of it. */
final class CatalogLoad {
  private static final int REGION_BITMAP_BYTES = 4096;

  private final Catalog.Databases databases;
  private final Txn<byte[]> txn;

  CatalogLoad(Catalog.Databases databases, Txn<byte[]> txn) {
    this.databases = databases;
    this.txn = txn;
  }

  @FunctionalInterface
  private interface Visitor {
    void visit(ByteBuffer key, byte[] content) throws IOException, BadRecordException;
  }

  static PoolRecord pool(Catalog.Databases databases, Txn<byte[]> txn)
      throws IOException, BadRecordException {
    return PoolRecordFormat.decode(poolContent(databases, txn));
  }

  CatalogState load() throws IOException, BadRecordException {
    for (Dbi<byte[]> database : databases.all()) {
      requirePlain(database);
    }
    byte[] content = poolContent(databases, txn);
    PoolRecord pool = PoolRecordFormat.decode(content);
    CatalogState state =
        new CatalogState(
            pool,
            nodes(),
            properties(),
            regions(),
            deferred(),
            deadlists(),
            lists(pool.txg()),
            condemned(),
            shared());
    long scrubRecords = scrub(databases, txn).map(scrub -> 1 + scrub.findings().size()).orElse(0);
    long memberRecords = members(databases, txn).isEmpty() ? 0 : 1;
    if (!PoolRecordFormat.decodeCounts(content).equals(databases.counts(txn))
        || databases.pool().stat(txn).entries != 1 + scrubRecords + memberRecords) {
      throw new BadRecordException("records are missing");
    }
    return state;
  }

  static Optional<ScrubLog> scrub(Catalog.Databases databases, Txn<byte[]> txn)
      throws BadRecordException {
    byte[] key = CatalogFormat.scrubKey();
    byte[] value = databases.pool().get(txn, key);
    if (value == null) {
      return Optional.empty();
    }
    byte[] content = CatalogFormat.unseal(key, value);
    ScrubRecord record = ScrubRecordFormat.decode(content);
    List<String> findings = new ArrayList<>();
    for (int i = 0; i < ScrubRecordFormat.findings(content); i++) {
      byte[] findingKey = CatalogFormat.scrubFindingKey(i);
      byte[] finding = databases.pool().get(txn, findingKey);
      if (finding == null) {
        throw new BadRecordException("a finding of the scrub is missing");
      }
      findings.add(new String(CatalogFormat.unseal(findingKey, finding), StandardCharsets.UTF_8));
    }
    return Optional.of(new ScrubLog(record, findings));
  }

  static List<MemberRecord> members(Catalog.Databases databases, Txn<byte[]> txn)
      throws BadRecordException {
    byte[] key = CatalogFormat.membersKey();
    byte[] value = databases.pool().get(txn, key);
    return value == null ? List.of() : MemberTableFormat.decode(CatalogFormat.unseal(key, value));
  }

  private static byte[] poolContent(Catalog.Databases databases, Txn<byte[]> txn)
      throws BadRecordException {
    byte[] key = CatalogFormat.poolKey();
    byte[] value = databases.pool().get(txn, key);
    if (value == null) {
      throw new BadRecordException("the pool record is missing");
    }
    return CatalogFormat.unseal(key, value);
  }

  private List<NodeRecord> nodes() throws IOException, BadRecordException {
    List<NodeRecord> nodes = new ArrayList<>();
    forEach(
        databases.nodes(),
        CatalogFormat.NODE_KEY_BYTES,
        (key, content) -> {
          NodeRecord node = NodeRecordFormat.decode(content);
          if (node.id() != key.getInt(CatalogFormat.NODE_KEY_ID)) {
            throw new BadRecordException("a dataset record has the id of another");
          }
          nodes.add(node);
        });
    return nodes;
  }

  private List<RegionBitmap> regions() throws IOException, BadRecordException {
    List<RegionBitmap> regions = new ArrayList<>();
    forEach(
        databases.space(),
        CatalogFormat.SPACE_KEY_BYTES,
        (key, content) -> {
          int region = key.getInt(CatalogFormat.SPACE_KEY_REGION);
          if (region < 0 || content.length != REGION_BITMAP_BYTES) {
            throw new BadRecordException("the space map of region " + region + " is none");
          }
          regions.add(new RegionBitmap(region, content));
        });
    return regions;
  }

  private Map<Long, byte[]> deferred() throws IOException, BadRecordException {
    Map<Long, ByteArrayOutputStream> chunks = new TreeMap<>();
    Map<Long, Integer> next = new TreeMap<>();
    forEach(
        databases.deferred(),
        CatalogFormat.DEFERRED_KEY_BYTES,
        (key, content) -> {
          long txg = key.getLong(CatalogFormat.DEFERRED_KEY_TXG);
          int chunk = key.getInt(CatalogFormat.DEFERRED_KEY_CHUNK);
          if (chunk != next.getOrDefault(txg, 0)) {
            throw new BadRecordException("a list of freed ranges of txg " + txg + " has a gap");
          }
          next.put(txg, chunk + 1);
          chunks.computeIfAbsent(txg, t -> new ByteArrayOutputStream()).writeBytes(content);
        });
    Map<Long, byte[]> deferred = new TreeMap<>();
    chunks.forEach((txg, bytes) -> deferred.put(txg, bytes.toByteArray()));
    return deferred;
  }

  private Map<Integer, PropertySet> properties() throws IOException, BadRecordException {
    Map<Integer, ByteArrayOutputStream> chunks = new TreeMap<>();
    Map<Integer, Integer> next = new TreeMap<>();
    forEach(
        databases.properties(),
        CatalogFormat.PROPERTY_KEY_BYTES,
        (key, content) -> {
          int node = key.getInt(CatalogFormat.PROPERTY_KEY_NODE);
          int chunk = key.getInt(CatalogFormat.PROPERTY_KEY_CHUNK);
          if (chunk != next.getOrDefault(node, 0)) {
            throw new BadRecordException("the properties of node " + node + " have a gap");
          }
          next.put(node, chunk + 1);
          chunks.computeIfAbsent(node, n -> new ByteArrayOutputStream()).writeBytes(content);
        });
    Map<Integer, PropertySet> properties = new TreeMap<>();
    for (Map.Entry<Integer, ByteArrayOutputStream> each : chunks.entrySet()) {
      properties.put(each.getKey(), PropertySetFormat.decode(each.getValue().toByteArray()));
    }
    return properties;
  }

  private CatalogState.DeadlistIds deadlists() throws IOException, BadRecordException {
    Set<Long> deadlists = new HashSet<>();
    IdSet.Builder lists = new IdSet.Builder();
    forEach(
        databases.deadlists(),
        CatalogFormat.DEADLIST_KEY_BYTES,
        (key, content) -> {
          DeadlistPartFormat.decode(content);
          deadlists.add(key.getLong(CatalogFormat.DEADLIST_KEY_ID));
          lists.append(key.getLong(CatalogFormat.DEADLIST_KEY_LIST));
        });
    return new CatalogState.DeadlistIds(
        deadlists, lists.build("a list of references is in two deadlists"));
  }

  static DeadlistPart deadlistPart(byte[] key) {
    ByteBuffer part = ByteBuffer.wrap(key);
    return new DeadlistPart(
        part.getLong(CatalogFormat.DEADLIST_KEY_ID),
        part.getLong(CatalogFormat.DEADLIST_KEY_BORN_AFTER),
        part.getLong(CatalogFormat.DEADLIST_KEY_LIST));
  }

  private Set<Long> lists(long lastTxg) throws IOException, BadRecordException {
    IdSet.Builder lists = new IdSet.Builder();
    forEach(
        databases.references(),
        CatalogFormat.REFERENCE_KEY_BYTES,
        (key, content) -> {
          ReferenceChunkFormat.decode(content, lastTxg, (sector, sectors, birthTxg) -> {});
          // The chunks of a list follow each other.
          lists.add(key.getLong(CatalogFormat.REFERENCE_KEY_LIST));
        });
    return lists.build("the lists of references are out of order");
  }

  List<Condemned> condemned() throws IOException, BadRecordException {
    List<Condemned> condemned = new ArrayList<>();
    forEach(
        databases.condemned(),
        CatalogFormat.CONDEMNED_KEY_BYTES,
        (key, content) ->
            condemned.add(
                CondemnedFormat.decode(key.getLong(CatalogFormat.CONDEMNED_KEY_ID), content)));
    return condemned;
  }

  private CatalogState.SharedTotals shared() throws IOException, BadRecordException {
    long[] totals = new long[2];
    long[] end = {0};
    forEach(
        databases.shared(),
        CatalogFormat.SHARED_KEY_BYTES,
        (key, content) -> {
          SharedRange range =
              SharedRangeFormat.decode(key.getLong(CatalogFormat.SHARED_KEY_SECTOR), content);
          if (range.sector() < end[0]) {
            throw new BadRecordException("shared ranges overlap at sector " + range.sector());
          }
          end[0] = range.end();
          totals[0]++;
          totals[1] += range.savedSectors();
        });
    return new CatalogState.SharedTotals(totals[0], totals[1]);
  }

  static SharedRange sharedRange(byte[] key, byte[] value) throws BadRecordException {
    long sector = ByteBuffer.wrap(key).getLong(CatalogFormat.SHARED_KEY_SECTOR);
    return SharedRangeFormat.decode(sector, CatalogFormat.unseal(key, value));
  }

  private void forEach(Dbi<byte[]> database, int keyBytes, Visitor visitor)
      throws IOException, BadRecordException {
    try (CursorIterable<byte[]> records = database.iterate(txn)) {
      for (KeyVal<byte[]> each : records) {
        byte[] key = each.key();
        if (key.length != keyBytes) {
          throw new BadRecordException("a record has a key of " + key.length + " bytes");
        }
        visitor.visit(ByteBuffer.wrap(key), CatalogFormat.unseal(key, each.val()));
      }
    }
  }

  /** A database of another kind has another order, which reads would not follow. */
  private void requirePlain(Dbi<byte[]> database) throws BadRecordException {
    if (!database.listFlags(txn).isEmpty()) {
      throw new BadRecordException("a database has unknown flags");
    }
  }
}
