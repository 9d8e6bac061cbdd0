package io.cowfs.core.alloc;

import io.cowfs.core.device.FaultInjectingDevice;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The time of one allocation and one free, in txgs of a thousand, on a gibibyte that is half full
 * of extents of any length which were freed here and there.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class AllocatorBenchmark {
  private static final int CHANGES = 1_000;
  private static final int EXTENT_SECTORS_MAX = 32;
  private static final int NODE_SECTORS = 3;
  private static final int NODES = 4_000;

  private final Random random = new Random(1);
  private final List<SectorRange> extents = new ArrayList<>();
  private final List<SectorRange> nodes = new ArrayList<>();
  private Allocator allocator;
  private long txg;

  @Setup
  public void fill() throws IOException {
    allocator = Allocator.create(new FaultInjectingDevice(1 << 30));
    long half = allocator.status().capacity() / 2;
    allocator.beginTxg(++txg, Long.MAX_VALUE);
    for (int i = 0; i < NODES; i++) {
      nodes.add(allocator.allocate(NODE_SECTORS, NODE_SECTORS, AllocationKind.NODE));
    }
    while (allocator.status().allocated() < half) {
      extents.add(newExtent());
    }
    allocator.takeChanges(txg);
    for (int i = 0; i < 20; i++) {
      replaceExtents();
    }
  }

  private SectorRange newExtent() throws IOException {
    int wanted = 1 + random.nextInt(EXTENT_SECTORS_MAX);
    return allocator.allocate(wanted, 1, AllocationKind.DATA);
  }

  /** Frees one at random. */
  private void freeOneOf(List<SectorRange> ranges) throws IOException {
    int index = random.nextInt(ranges.size());
    SectorRange last = ranges.remove(ranges.size() - 1);
    SectorRange freed = index == ranges.size() ? last : ranges.set(index, last);
    allocator.free(freed.sector(), freed.count(), txg);
  }

  @Benchmark
  @OperationsPerInvocation(CHANGES)
  public SpaceChanges replaceExtents() throws IOException {
    allocator.beginTxg(++txg, Long.MAX_VALUE);
    for (int i = 0; i < CHANGES; i++) {
      freeOneOf(extents);
      extents.add(newExtent());
    }
    return allocator.takeChanges(txg);
  }

  @Benchmark
  @OperationsPerInvocation(CHANGES)
  public SpaceChanges replaceNodes() throws IOException {
    allocator.beginTxg(++txg, Long.MAX_VALUE);
    for (int i = 0; i < CHANGES; i++) {
      freeOneOf(nodes);
      nodes.add(allocator.allocate(NODE_SECTORS, NODE_SECTORS, AllocationKind.NODE));
    }
    return allocator.takeChanges(txg);
  }
}
