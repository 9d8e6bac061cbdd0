package io.cowfs.core.block;

import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.device.DeviceLayout;
import java.nio.ByteBuffer;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * File data that is about to be written as an extent. Where it is to be compressed, any thread may
 * do that, once; the others wait for the result.
 */
public final class PreparedExtent {
  /** An extent is kept compressed where that saves at least one sector in so many. */
  private static final int SAVES_ONE_SECTOR_IN = 8;

  /** How long the pieces stay as they are. */
  public enum Pieces {
    /** Until the extent is written: then it has its own copy of them. */
    STAY_UNTIL_WRITTEN,
    /** Until the writer is flushed or closed, so that they need no copy. */
    STAY_UNTIL_FLUSHED
  }

  private final ByteBuffer[] pieces;
  private final Pieces stay;
  private final int logicalBytes;
  private final ExtentPolicy policy;
  private final Packer packer;
  private final FutureTask<Packed> packing = new FutureTask<>(this::pack);

  /**
   * What compressing gave.
   *
   * @param content a buffer of the packer, to be released; what counts is from 0 to its limit
   * @param checksum of that, by {@link BlockWriter#BLOCK_CHECKSUM}
   */
  record Packed(ByteBuffer content, long checksum) {}

  /**
   * @param pieces must not be changed as long as {@code stay} says; their positions do not move
   * @param packer whose buffers it uses
   */
  PreparedExtent(
      ByteBuffer[] pieces, Pieces stay, int logicalBytes, ExtentPolicy policy, Packer packer) {
    int sectors = DataExtent.sectorsOf(logicalBytes);
    if (logicalBytes < 1 || sectors > DataExtent.SECTORS_MAX || !areSectors(pieces, sectors)) {
      throw new IllegalArgumentException(logicalBytes + " bytes do not fit the pieces");
    }
    this.pieces = pieces;
    this.stay = stay;
    this.logicalBytes = logicalBytes;
    this.policy = policy;
    this.packer = packer;
  }

  private static boolean areSectors(ByteBuffer[] pieces, int sectors) {
    long bytes = 0;
    for (ByteBuffer piece : pieces) {
      if (piece.remaining() % DeviceLayout.SECTOR_BYTES != 0) {
        return false;
      }
      bytes += piece.remaining();
    }
    return bytes == (long) sectors * DeviceLayout.SECTOR_BYTES;
  }

  ByteBuffer[] pieces() {
    return pieces;
  }

  Pieces stay() {
    return stay;
  }

  int logicalBytes() {
    return logicalBytes;
  }

  ExtentPolicy policy() {
    return policy;
  }

  Compression compression() {
    return policy.compression().compression();
  }

  /** Whether compressing it is worth a try. */
  boolean isToBePacked() {
    return compression() != Compression.NONE && DataExtent.sectorsOf(logicalBytes) > 1;
  }

  /** Compresses it, unless a thread has begun with that; throws nothing. */
  void work() {
    packing.run();
  }

  boolean isPacked() {
    return packing.isDone();
  }

  /**
   * Waits for the thread that compresses it.
   *
   * @return null where that does not save enough
   */
  Packed packed() {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return packing.get();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          if (e.getCause() instanceof Error error) {
            throw error;
          }
          throw new IllegalStateException(e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private Packed pack() {
    ByteBuffer packed = packer.take();
    CompressionSetting setting = policy.compression();
    int bytes;
    if (pieces.length == 1) {
      ByteBuffer source = pieces[0].slice(pieces[0].position(), logicalBytes);
      bytes = compression().compress(source, packed, setting.level());
    } else {
      ByteBuffer gathered = packer.take();
      for (ByteBuffer piece : pieces) {
        gathered.put(piece.duplicate());
      }
      bytes = compression().compress(gathered.slice(0, logicalBytes), packed, setting.level());
      packer.release(gathered);
    }
    int plainSectors = DataExtent.sectorsOf(logicalBytes);
    int saved = plainSectors - DataExtent.sectorsOf(bytes);
    if (saved * SAVES_ONE_SECTOR_IN < plainSectors) {
      packer.release(packed);
      return null;
    }
    return new Packed(packed.limit(bytes), BlockWriter.BLOCK_CHECKSUM.of(packed, 0, bytes));
  }
}
