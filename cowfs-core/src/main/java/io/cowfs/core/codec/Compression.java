package io.cowfs.core.codec;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;

/** Compression algorithms with their permanent ids. Thread-safe. */
public enum Compression {
  NONE(0) {
    @Override
    public int maxCompressedBytes(int bytes) {
      return bytes;
    }

    @Override
    public int compress(ByteBuffer source, ByteBuffer destination, int level) {
      int bytes = source.remaining();
      destination.put(destination.position(), source, source.position(), bytes);
      return bytes;
    }

    @Override
    int decompressInto(ByteBuffer source, ByteBuffer destination) {
      int bytes = Math.min(source.remaining(), destination.remaining());
      destination.put(destination.position(), source, source.position(), bytes);
      return source.remaining();
    }
  },

  /** LZ4 blocks, without a frame. */
  LZ4(1) {
    @Override
    public int maxCompressedBytes(int bytes) {
      return bytes + bytes / 255 + 16;
    }

    @Override
    public int compress(ByteBuffer source, ByteBuffer destination, int level) {
      return Lz4.COMPRESSOR.compress(
          source,
          source.position(),
          source.remaining(),
          destination,
          destination.position(),
          destination.remaining());
    }

    @Override
    int decompressInto(ByteBuffer source, ByteBuffer destination) throws MalformedDataException {
      try {
        return Lz4.DECOMPRESSOR.decompress(
            source,
            source.position(),
            source.remaining(),
            destination,
            destination.position(),
            destination.remaining());
      } catch (LZ4Exception e) {
        throw new MalformedDataException("lz4: " + e.getMessage(), e);
      }
    }
  },

  /** Zstandard frames; levels 1 to 19. */
  ZSTD(2) {
    @Override
    public int maxCompressedBytes(int bytes) {
      return (int) Zstd.compressBound(bytes);
    }

    @Override
    public int compress(ByteBuffer source, ByteBuffer destination, int level) {
      long bytes =
          source.isDirect() && destination.isDirect()
              ? Zstd.compressDirectByteBuffer(
                  destination,
                  destination.position(),
                  destination.remaining(),
                  source,
                  source.position(),
                  source.remaining(),
                  level)
              : compressCopies(source, destination, level);
      if (Zstd.isError(bytes)) {
        throw new IllegalStateException("zstd: " + Zstd.getErrorName(bytes));
      }
      return (int) bytes;
    }

    @Override
    int decompressInto(ByteBuffer source, ByteBuffer destination) throws MalformedDataException {
      try {
        long bytes =
            source.isDirect() && destination.isDirect()
                ? Zstd.decompressDirectByteBuffer(
                    destination,
                    destination.position(),
                    destination.remaining(),
                    source,
                    source.position(),
                    source.remaining())
                : decompressCopies(source, destination);
        if (Zstd.isError(bytes)) {
          throw new MalformedDataException("zstd: " + Zstd.getErrorName(bytes));
        }
        return (int) bytes;
      } catch (ZstdException e) {
        throw new MalformedDataException("zstd: " + e.getMessage(), e);
      }
    }
  };

  private static final Compression[] ALL = values();

  private final int id;

  Compression(int id) {
    this.id = id;
  }

  /** The id in the format; never changes. */
  public int id() {
    return id;
  }

  /** The most bytes that compressing so many can give. */
  public abstract int maxCompressedBytes(int bytes);

  /**
   * Compresses the source's remaining bytes to the destination's position; neither position moves.
   *
   * @param destination has at least {@link #maxCompressedBytes} remaining
   * @param level ignored by algorithms without levels
   * @return the number of bytes stored
   */
  public abstract int compress(ByteBuffer source, ByteBuffer destination, int level);

  /**
   * Decompresses the source's remaining bytes into all of the destination's remaining bytes;
   * neither position moves. Input is never trusted.
   *
   * @throws MalformedDataException when the result is not exactly as long as the destination
   */
  public void decompress(ByteBuffer source, ByteBuffer destination) throws MalformedDataException {
    int bytes = decompressInto(source, destination);
    if (bytes != destination.remaining()) {
      throw new MalformedDataException(
          "decompressed to " + bytes + " bytes instead of " + destination.remaining());
    }
  }

  abstract int decompressInto(ByteBuffer source, ByteBuffer destination)
      throws MalformedDataException;

  /**
   * The algorithm of an id found in a pool.
   *
   * @throws MalformedDataException when there is none
   */
  public static Compression byId(int id) throws MalformedDataException {
    return Arrays.stream(ALL)
        .filter(compression -> compression.id == id)
        .findFirst()
        .orElseThrow(() -> new MalformedDataException("unknown compression " + id));
  }

  /** zstd-jni wants both sides direct or both in arrays. */
  private static long compressCopies(ByteBuffer source, ByteBuffer destination, int level) {
    byte[] result = new byte[destination.remaining()];
    long bytes =
        Zstd.compressByteArray(
            result, 0, result.length, copyOf(source), 0, source.remaining(), level);
    if (!Zstd.isError(bytes)) {
      destination.put(destination.position(), result, 0, (int) bytes);
    }
    return bytes;
  }

  private static long decompressCopies(ByteBuffer source, ByteBuffer destination) {
    byte[] result = new byte[destination.remaining()];
    long bytes =
        Zstd.decompressByteArray(result, 0, result.length, copyOf(source), 0, source.remaining());
    if (!Zstd.isError(bytes)) {
      destination.put(destination.position(), result, 0, (int) bytes);
    }
    return bytes;
  }

  private static byte[] copyOf(ByteBuffer source) {
    byte[] copy = new byte[source.remaining()];
    source.get(source.position(), copy);
    return copy;
  }

  /** Loaded at first use, with its native library. */
  private static final class Lz4 {
    static final LZ4Compressor COMPRESSOR = LZ4Factory.fastestInstance().fastCompressor();
    static final LZ4SafeDecompressor DECOMPRESSOR = LZ4Factory.fastestInstance().safeDecompressor();

    private Lz4() {}
  }
}
