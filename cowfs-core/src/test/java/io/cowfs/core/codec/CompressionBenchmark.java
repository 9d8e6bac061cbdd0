package io.cowfs.core.codec;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
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

/** The time to compress one full extent, and to get it back. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(2)
public class CompressionBenchmark {
  private static final int EXTENT_BYTES = 128 << 10;

  /** What an extent holds. */
  public enum Content {
    /** Words in no order: what compresses about as source text does. */
    TEXT {
      @Override
      byte[] bytes(Random random) {
        String[] words = new String[2_000];
        for (int i = 0; i < words.length; i++) {
          words[i] = Long.toString(random.nextLong() >>> 1 + random.nextInt(48), 36);
        }
        StringBuilder text = new StringBuilder();
        while (text.length() < EXTENT_BYTES) {
          double skewed = Math.pow(random.nextDouble(), 3);
          text.append(words[(int) (words.length * skewed)]).append(' ');
        }
        return text.substring(0, EXTENT_BYTES).getBytes(StandardCharsets.US_ASCII);
      }
    },

    /** What does not compress at all. */
    RANDOM {
      @Override
      byte[] bytes(Random random) {
        byte[] bytes = new byte[EXTENT_BYTES];
        random.nextBytes(bytes);
        return bytes;
      }
    };

    abstract byte[] bytes(Random random);
  }

  @Param({"lz4", "zstd-1", "zstd-3"})
  public String setting;

  @Param({"TEXT", "RANDOM"})
  public Content content;

  private CompressionSetting compression;
  private ByteBuffer plain;
  private ByteBuffer compressed;
  private ByteBuffer stored;

  @Setup
  public void fill() {
    compression = CompressionSetting.parse(setting);
    byte[] bytes = content.bytes(new Random(1));
    plain = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    int bytesMax = compression.compression().maxCompressedBytes(bytes.length);
    compressed = ByteBuffer.allocateDirect(bytesMax);
    stored = ByteBuffer.allocateDirect(bytesMax);
    stored.limit(compression.compression().compress(plain, stored, compression.level()));
  }

  @Benchmark
  public int compress() {
    return compression.compression().compress(plain, compressed, compression.level());
  }

  @Benchmark
  public ByteBuffer decompress() throws MalformedDataException {
    compression.compression().decompress(stored, plain);
    return plain;
  }
}
