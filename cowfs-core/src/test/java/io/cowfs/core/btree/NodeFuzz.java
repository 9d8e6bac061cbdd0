package io.cowfs.core.btree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Checks tree nodes, and reads all of those whose header is right, valid or not. */
public final class NodeFuzz {
  private static final BlockPointer POINTER =
      new BlockPointer(
          200,
          NodeFormat.NODE_BYTES,
          NodeFormat.NODE_BYTES,
          Compression.NONE,
          ChecksumAlgorithm.CRC32C,
          0,
          9);

  private static final NodeVisitor NOTHING =
      new NodeVisitor() {
        @Override
        public void item(Key key, byte[] source, int offset, int length) {
          assertTrue(offset >= 0 && offset + length <= source.length);
        }

        @Override
        public void node(BlockPointer pointer, int level) {}
      };

  private NodeFuzz() {}

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) {
    byte[] bytes = Arrays.copyOf(input, NodeFormat.NODE_BYTES);
    Node node;
    try {
      node = Node.open(bytes, POINTER);
    } catch (CorruptBlockException refused) {
      return;
    }
    try {
      node.validate();
    } catch (CorruptBlockException refused) {
      readDamaged(node);
      return;
    }
    try {
      List<Entry> entries = new ArrayList<>();
      for (int i = 0; i < node.count(); i++) {
        entries.add(node.entry(i));
        assertTrue(node.floor(node.key(i)) == i);
      }
      int used = NodeFormat.HEADER_BYTES + node.usedBytes();
      byte[] again = NodeFormat.encode(node.level(), entries);
      assertArrayEquals(Arrays.copyOf(bytes, used), Arrays.copyOf(again, used));
      node.givePendingOfOld(0, NOTHING);
    } catch (IOException e) {
      throw new AssertionError("a valid node is damaged", e);
    }
  }

  /** Every access stays within the node, whatever else is wrong. */
  private static void readDamaged(Node node) {
    for (int i = 0; i < node.count(); i++) {
      Key key = node.key(i);
      node.floor(key);
      node.pendingAt(key);
      try {
        node.entry(i);
      } catch (CorruptBlockException refused) {
        continue;
      }
    }
    try {
      node.givePendingOfOld(0, NOTHING);
    } catch (IOException refused) {
      assertTrue(refused instanceof CorruptBlockException, refused.toString());
    }
  }

  /** Inputs to begin with. */
  public static byte[][] seeds() {
    List<Entry> items = new ArrayList<>();
    List<Entry> parents = new ArrayList<>();
    List<Entry> children = new ArrayList<>();
    for (int i = 1; i <= 3; i++) {
      items.add(new Entry.Item(new Key(i, 1, 0), new byte[] {1, 2, 3}, 0, i));
      BlockPointer child =
          new BlockPointer(
              1000 + i,
              NodeFormat.NODE_BYTES,
              5000,
              Compression.LZ4,
              ChecksumAlgorithm.XXH3_64,
              77,
              i);
      Change put = Change.put(new Key(10 * i, 2, 0), new byte[] {4, 5});
      Change delete = Change.delete(new Key(10 * i, 3, 0));
      Key first = new Key(10 * i, 1, 0);
      parents.add(Entry.Child.existing(first, child, List.of(put, delete)));
      children.add(Entry.Child.existing(first, child, List.of()));
    }
    return new byte[][] {
      shortened(NodeFormat.encode(0, items)),
      shortened(NodeFormat.encode(1, parents)),
      shortened(NodeFormat.encode(2, children))
    };
  }

  private static byte[] shortened(byte[] node) {
    return Arrays.copyOf(node, NodeFormat.getUnsignedShort(node, NodeFormat.USED));
  }
}
