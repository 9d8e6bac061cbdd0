package io.cowfs.core.device;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * What a pool is, written when it is created, in two equal copies at the front of each device.
 *
 * @param capacityBytes size limit; 0 means that the pool grows as long as the host has space
 * @param createdMillis milliseconds since 1970
 * @param compressionId default compression of new datasets, an id of {@code codec.Compression}
 * @param compressionLevel its level, 0 where it has none
 * @param dataChecksumId checksum of plain data sectors, an id of {@code codec.ChecksumAlgorithm}
 * @param blockChecksumId checksum of nodes and compressed extents, likewise
 * @param featuresToRead bits a program must know to read the pool; it knows all of them
 * @param featuresToWrite bits a program must know to write the pool; see {@link #requireWritable}
 * @param logSectors the size of the intent log, from {@link DeviceLayout#LOG_FIRST_SECTOR} on; 0
 *     where there is none
 * @param member of a mirror, by which its members differ; {@link #NO_MEMBER} where the device is
 *     the only one
 */
public record PoolLabel(
    UUID uuid,
    long capacityBytes,
    long createdMillis,
    int compressionId,
    int compressionLevel,
    int dataChecksumId,
    int blockChecksumId,
    long featuresToRead,
    long featuresToWrite,
    int logSectors,
    UUID member) {

  /** Of a device that is the only one of its pool. */
  public static final UUID NO_MEMBER = new UUID(0, 0);

  /**
   * The bit of {@link #featuresToWrite} for a pool over several devices: whoever does not know it
   * writes only one of them.
   */
  public static final long MIRRORED = 1;

  /** The newest format version this program knows. */
  public static final int FORMAT_VERSION = 4;

  /** The bits of {@link #featuresToRead} that this program knows: none are defined. */
  private static final long KNOWN_TO_READ = 0;

  /** The bits of {@link #featuresToWrite} that this program knows. */
  private static final long KNOWN_TO_WRITE = MIRRORED;

  /** The smallest log, in sectors: some records of ordinary size. */
  private static final int LOG_SECTORS_MIN = 64;

  /** A log takes at most one sector in so many of a pool with a size limit. */
  private static final int LOG_SHARE = 64;

  /** A label without optional features, and without a log. */
  public PoolLabel(
      UUID uuid,
      long capacityBytes,
      long createdMillis,
      int compressionId,
      int compressionLevel,
      int dataChecksumId,
      int blockChecksumId) {
    this(
        uuid,
        capacityBytes,
        createdMillis,
        compressionId,
        compressionLevel,
        dataChecksumId,
        blockChecksumId,
        0,
        0,
        0,
        NO_MEMBER);
  }

  /** The label of one of the devices of a mirror. */
  public PoolLabel ofMember(UUID newMember) {
    return with(capacityBytes, featuresToWrite | MIRRORED, logSectors, newMember);
  }

  /** The same with an intent log as large as a new pool gets it. */
  public PoolLabel withLog(long deviceBytes) {
    return with(capacityBytes, featuresToWrite, logSectorsFor(deviceBytes), member);
  }

  /** The same with another size limit. */
  public PoolLabel withCapacity(long newCapacityBytes) {
    return with(newCapacityBytes, featuresToWrite, logSectors, member);
  }

  private PoolLabel with(
      long newCapacityBytes, long newFeaturesToWrite, int newLogSectors, UUID newMember) {
    return new PoolLabel(
        uuid,
        newCapacityBytes,
        createdMillis,
        compressionId,
        compressionLevel,
        dataChecksumId,
        blockChecksumId,
        featuresToRead,
        newFeaturesToWrite,
        newLogSectors,
        newMember);
  }

  /** Whether the pool has, or had, several devices. */
  public boolean isMirrored() {
    return (featuresToWrite & MIRRORED) != 0;
  }

  /**
   * The size of the intent log of a new pool, in sectors.
   *
   * @param deviceBytes what the device can hold
   */
  private static int logSectorsFor(long deviceBytes) {
    long share = deviceBytes / DeviceLayout.SECTOR_BYTES / LOG_SHARE;
    return (int) Math.max(LOG_SECTORS_MIN, Math.min(share, DeviceLayout.LOG_SECTORS_MAX));
  }

  /** The first sector that the allocator may hand out. */
  public int dataFirstSector() {
    return DeviceLayout.LOG_FIRST_SECTOR + logSectors;
  }

  /** Writes both copies; durable after the device's next sync. */
  public void write(BlockDevice device) throws IOException {
    for (int copy = 0; copy < DeviceLayout.LABEL_COPIES; copy++) {
      device.write(LabelFormat.encode(this), offsetOf(copy));
    }
  }

  /**
   * Writes over a label of the same pool, durably, so that a crash leaves the one or the other copy
   * whole; for {@link #readEither}.
   */
  public void writeOneByOne(BlockDevice device) throws IOException {
    for (int copy = 0; copy < DeviceLayout.LABEL_COPIES; copy++) {
      device.write(LabelFormat.encode(this), offsetOf(copy));
      device.sync();
    }
  }

  /**
   * Reads the label; both copies must be whole and equal.
   *
   * @throws UnsupportedFormatException when there is no label at all, or one of a newer format, or
   *     to read the pool takes features that are not known
   * @throws DamagedPoolException when a copy is damaged
   */
  public static PoolLabel read(BlockDevice device) throws IOException {
    ByteBuffer first = readSector(device, 0);
    ByteBuffer second = readSector(device, 1);
    if (!LabelFormat.hasMagic(first) && !LabelFormat.hasMagic(second)) {
      throw new UnsupportedFormatException(device.name() + " is not a cowfs pool");
    }
    checkWhole(device, first, "first");
    checkWhole(device, second, "second");
    if (!first.equals(second)) {
      throw new DamagedPoolException(device.name() + ": the two copies of the label differ");
    }
    checkSupported(device, first);
    return LabelFormat.decode(first);
  }

  /**
   * Reads the label of a device of a mirror, of which one copy is enough: another device has the
   * same. Where the copies differ, the first is the newer one.
   *
   * @throws UnsupportedFormatException as {@link #read} does
   * @throws DamagedPoolException when no copy is whole
   */
  public static PoolLabel readEither(BlockDevice device) throws IOException {
    ByteBuffer first = readSector(device, 0);
    ByteBuffer second = readSector(device, 1);
    if (!LabelFormat.hasMagic(first) && !LabelFormat.hasMagic(second)) {
      throw new UnsupportedFormatException(device.name() + " is not a cowfs pool");
    }
    boolean isFirstWhole = LabelFormat.hasMagic(first) && LabelFormat.hasValidChecksum(first);
    if (!isFirstWhole) {
      checkWhole(device, second, "second");
    }
    ByteBuffer whole = isFirstWhole ? first : second;
    checkSupported(device, whole);
    return LabelFormat.decode(whole);
  }

  private static ByteBuffer readSector(BlockDevice device, int copy) throws IOException {
    ByteBuffer sector = ByteBuffer.allocate(LabelFormat.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    device.read(sector, offsetOf(copy));
    return sector.clear();
  }

  private static void checkWhole(BlockDevice device, ByteBuffer sector, String copy)
      throws DamagedPoolException {
    if (!LabelFormat.hasMagic(sector) || !LabelFormat.hasValidChecksum(sector)) {
      throw new DamagedPoolException(
          device.name() + ": the " + copy + " copy of the label is damaged");
    }
  }

  private static void checkSupported(BlockDevice device, ByteBuffer sector)
      throws StorageException {
    if (LabelFormat.version(sector) != FORMAT_VERSION) {
      throw new UnsupportedFormatException(
          device.name()
              + ": format version "
              + Integer.toUnsignedString(LabelFormat.version(sector))
              + " is not known to this program, which knows version "
              + FORMAT_VERSION);
    }
    PoolLabel label = LabelFormat.decode(sector);
    long unknown = label.featuresToRead & ~KNOWN_TO_READ;
    if (unknown != 0) {
      throw new UnsupportedFormatException(
          "%s: to read the pool takes features that are not known to this program: %s"
              .formatted(device.name(), bits(unknown)));
    }
    if (LabelFormat.sectorBytes(sector) != DeviceLayout.SECTOR_BYTES
        || label.capacityBytes < 0
        || label.capacityBytes > FileDevice.UNLIMITED_BYTES
        || label.logSectors < 0
        || label.logSectors > DeviceLayout.LOG_SECTORS_MAX
        || label.isMirrored() == label.member.equals(NO_MEMBER)
        || !LabelFormat.restIsZero(sector)) {
      throw new DamagedPoolException(device.name() + ": the label holds impossible values");
    }
  }

  /**
   * Refuses to change a pool that has features which this program would damage.
   *
   * @param name of the pool, for the message
   * @throws UnsupportedFormatException saying which; the pool can be read
   */
  public void requireWritable(String name) throws UnsupportedFormatException {
    long unknown = featuresToWrite & ~KNOWN_TO_WRITE;
    if (unknown != 0) {
      throw new UnsupportedFormatException(
          "%s: the pool is read-only: to write it takes features that are not known to this program: %s"
              .formatted(name, bits(unknown)));
    }
  }

  /** As in "bits 3, 17". */
  private static String bits(long features) {
    String numbers =
        BitSet.valueOf(new long[] {features}).stream()
            .mapToObj(Integer::toString)
            .collect(Collectors.joining(", "));
    return (Long.bitCount(features) == 1 ? "bit " : "bits ") + numbers;
  }

  private static long offsetOf(int copy) {
    return (DeviceLayout.LABEL_FIRST_SECTOR + copy) * (long) DeviceLayout.SECTOR_BYTES;
  }
}
