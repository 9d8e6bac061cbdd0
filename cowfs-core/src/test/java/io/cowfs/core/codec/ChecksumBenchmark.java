package io.cowfs.core.codec;

import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** The time of one checksum; see the decision record on checksums. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(2)
public class ChecksumBenchmark {
  @Param({"CRC32C", "XXH3_64"})
  public ChecksumAlgorithm algorithm;

  @Param({"4096", "16384", "131072"})
  public int bytes;

  private byte[] array;
  private ByteBuffer direct;

  @Setup
  public void fill() {
    array = new byte[bytes];
    new Random(1).nextBytes(array);
    direct = ByteBuffer.allocateDirect(bytes).put(array).flip();
  }

  @Benchmark
  public long array() {
    return algorithm.of(array, 0, bytes);
  }

  @Benchmark
  public long directBuffer() {
    return algorithm.of(direct, 0, bytes);
  }
}
