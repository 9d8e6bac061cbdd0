package io.cowfs.core.codec;

import com.dynatrace.hash4j.hashing.ByteAccess;
import com.dynatrace.hash4j.hashing.Hasher64;
import com.dynatrace.hash4j.hashing.Hashing;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.CRC32C;

/** Checksum algorithms with their permanent ids. Thread-safe. */
public enum ChecksumAlgorithm {
  /** 32 bits; the JDK's, done by processor instructions. */
  CRC32C(1) {
    @Override
    public long of(byte[] bytes, int offset, int length) {
      CRC32C crc = new CRC32C();
      crc.update(bytes, offset, length);
      return crc.getValue();
    }

    @Override
    public long of(ByteBuffer buffer, int offset, int length) {
      CRC32C crc = new CRC32C();
      crc.update(buffer.slice(offset, length));
      return crc.getValue();
    }
  },

  /** 64 bits, seed 0. */
  XXH3_64(2) {
    @Override
    public long of(byte[] bytes, int offset, int length) {
      return Xxh3.HASHER.hashBytesToLong(bytes, offset, length);
    }

    @Override
    public long of(ByteBuffer buffer, int offset, int length) {
      if (buffer.hasArray()) {
        return of(buffer.array(), buffer.arrayOffset() + offset, length);
      }
      return Xxh3.HASHER.hashBytesToLong(buffer, offset, length, Xxh3.ACCESS);
    }
  };

  private static final ChecksumAlgorithm[] ALL = values();

  private final int id;

  ChecksumAlgorithm(int id) {
    this.id = id;
  }

  /** The id in the format; never changes. */
  public int id() {
    return id;
  }

  /** The checksum of a range of an array; 32-bit checksums are zero-extended. */
  public abstract long of(byte[] bytes, int offset, int length);

  /** The checksum of a range given by absolute index; position and limit are not touched. */
  public abstract long of(ByteBuffer buffer, int offset, int length);

  /** The checksum of a whole array. */
  public long of(byte[] bytes) {
    return of(bytes, 0, bytes.length);
  }

  /**
   * The algorithm of an id found in a pool.
   *
   * @throws MalformedDataException when there is none
   */
  public static ChecksumAlgorithm byId(int id) throws MalformedDataException {
    return Arrays.stream(ALL)
        .filter(algorithm -> algorithm.id == id)
        .findFirst()
        .orElseThrow(() -> new MalformedDataException("unknown checksum algorithm " + id));
  }

  /** Loaded at first use. */
  private static final class Xxh3 {
    static final Hasher64 HASHER = Hashing.xxh3_64();
    static final ByteAccess<ByteBuffer> ACCESS = new BufferAccess();

    private Xxh3() {}
  }

  private static final class BufferAccess implements ByteAccess<ByteBuffer> {
    private static final VarHandle INTS =
        MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONGS =
        MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    @Override
    public byte getByte(ByteBuffer data, long index) {
      return data.get((int) index);
    }

    @Override
    public int getInt(ByteBuffer data, long index) {
      return (int) INTS.get(data, (int) index);
    }

    @Override
    public long getLong(ByteBuffer data, long index) {
      return (long) LONGS.get(data, (int) index);
    }

    @Override
    public void copyToByteArray(
        ByteBuffer data, long index, byte[] array, int arrayOffset, int length) {
      data.get((int) index, array, arrayOffset, length);
    }
  }
}
