package io.cowfs.core.pool;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.fs.TreeContent;
import io.cowfs.core.scrub.SpaceAudit;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Everything that can be read of a pool: its datasets and snapshots with their properties, and all
 * of their files. What cannot be read because it is damaged is kept as such. Reading changes
 * nothing. Confined to one thread.
 */
final class PoolContent {
  private static final byte[] DAMAGED = {};
  private static final String LIST = "list";
  private static final String PROPERTIES = "properties ";

  /** What {@link TreeContent} reads of a path: without the one before there is no next. */
  private static final List<String> PARTS = List.of("found ", "attributes ", "data ");

  /** By what was read, for instance {@code data root@s/directory/file}. */
  private final Map<String, byte[]> found = new TreeMap<>();

  private int damaged;

  private PoolContent() {}

  /**
   * Reads a pool that is open.
   *
   * @throws IOException when there is nothing to be read
   */
  static PoolContent read(Pool pool) throws IOException {
    PoolContent content = readProperties(pool);
    SpaceAudit.Sources now = pool.auditSources();
    for (NodeRecord node : now.nodes()) {
      Tree tree = new Tree(node.root().orElse(null), now.store()::readBlock);
      TreeContent.read(node.dataset() + "@" + node.name(), tree, now.store(), content::put);
    }
    return content;
  }

  /** Of a pool that is open, only what its index says of its datasets and snapshots. */
  static PoolContent readProperties(Pool pool) throws IOException {
    PoolContent content = new PoolContent();
    content.found.put(LIST, pool.list().toString().getBytes(UTF_8));
    for (DatasetInfo info : pool.list()) {
      String snapshot = info.kind() == NodeKind.HEAD ? null : info.snapshot();
      String properties = pool.administration().properties(info.dataset(), snapshot).toString();
      content.found.put(PROPERTIES + info.fullName(), properties.getBytes(UTF_8));
    }
    return content;
  }

  /** Only what {@link #readProperties} gives. */
  PoolContent properties() {
    PoolContent properties = new PoolContent();
    found.forEach(
        (what, bytes) -> {
          if (what.equals(LIST) || what.startsWith(PROPERTIES)) {
            properties.found.put(what, bytes);
          }
        });
    return properties;
  }

  /** How many files and directories could not be read whole. */
  int damaged() {
    return damaged;
  }

  /** How many bytes were read. */
  long bytes() {
    return found.values().stream().mapToLong(bytes -> bytes.length).sum();
  }

  /** What is different from a pool that is whole, but for damage; null when nothing is. */
  String differenceFrom(PoolContent good) {
    for (Map.Entry<String, byte[]> each : found.entrySet()) {
      byte[] expected = good.found.get(each.getKey());
      if (expected == null) {
        return "there is no '" + each.getKey() + "'";
      }
      if (each.getValue() != DAMAGED && !Arrays.equals(expected, each.getValue())) {
        return "'" + each.getKey() + "' is wrong";
      }
    }
    for (String expected : good.found.keySet()) {
      if (!found.containsKey(expected) && !isBelowDamage(expected)) {
        return "'" + expected + "' is missing";
      }
    }
    return null;
  }

  private boolean isBelowDamage(String what) {
    String path = what.substring(what.indexOf(' ') + 1);
    for (int end = path.length(); end > 0; end = path.lastIndexOf('/', end - 1)) {
      for (String part : PARTS) {
        if (found.get(part + path.substring(0, end)) == DAMAGED) {
          return true;
        }
      }
    }
    return false;
  }

  /** Nothing that is there may be said not to be. */
  private boolean put(String what, TreeContent.Reading reading) {
    byte[] read;
    try {
      read = reading.read();
    } catch (IOException damage) {
      requireOneLine(damage);
      read = DAMAGED;
      damaged++;
    } catch (FsException failure) {
      if (failure.error() != FsError.IO) {
        throw new AssertionError(what + ": " + failure.getMessage(), failure);
      }
      read = DAMAGED;
      damaged++;
    }
    if (found.put(what, read) != null) {
      throw new AssertionError("'" + what + "' is there twice");
    }
    return read != DAMAGED;
  }

  /** Each error is fit for a user. */
  static void requireOneLine(IOException error) {
    String message = error.getMessage();
    if (message == null || message.isEmpty() || message.lines().count() != 1) {
      throw new AssertionError("an error that is not fit for a user", error);
    }
  }
}
