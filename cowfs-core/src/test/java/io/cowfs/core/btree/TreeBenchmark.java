package io.cowfs.core.btree;

import io.cowfs.core.block.BlockPointer;
import java.io.IOException;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** The tree alone, with nodes in memory: a million items of 60 bytes. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class TreeBenchmark {
  private static final int ITEMS = 1_000_000;

  private final MemoryNodes nodes = new MemoryNodes();
  private final Random random = new Random(1);
  private final byte[] value = new byte[60];
  private BlockPointer root;
  private byte counter;

  @Setup
  public void fill() throws IOException {
    ChangeSource changes =
        ChangeSource.of(
            IntStream.range(0, ITEMS).mapToObj(i -> Change.put(key(i), value)).iterator());
    root = TreeUpdate.apply(new Tree(null, nodes), changes, nodes);
    nodes.nextTxg();
  }

  @Benchmark
  public byte[] get() throws IOException {
    return new Tree(root, nodes).get(key(random.nextInt(ITEMS)));
  }

  @Benchmark
  public long scanThousand() throws IOException {
    long[] bytes = {0};
    int from = random.nextInt(ITEMS);
    new Tree(root, nodes)
        .scan(
            key(from),
            key(from + 1_000),
            (key, source, offset, length) -> {
              bytes[0] += length;
              return true;
            });
    return bytes[0];
  }

  /** One txg: ten thousand random puts. */
  @Benchmark
  public BlockPointer updateTenThousand() throws IOException {
    counter++;
    TreeMap<Key, Change> changes = new TreeMap<>();
    for (int i = 0; i < 10_000; i++) {
      byte[] changed = value.clone();
      changed[0] = counter;
      Key key = key(random.nextInt(ITEMS));
      changes.put(key, Change.put(key, changed));
    }
    root =
        TreeUpdate.apply(
            new Tree(root, nodes), ChangeSource.of(changes.values().iterator()), nodes);
    nodes.nextTxg();
    return root;
  }

  private static Key key(long i) {
    return new Key(i >>> 6, 1, i & 63);
  }
}
