package io.cowfs.core.device;

/** What lies where on a device, in sectors of 4 KiB. */
public final class DeviceLayout {
  public static final int SECTOR_BYTES = 4096;

  /** The label is stored twice, one sector each. */
  public static final int LABEL_FIRST_SECTOR = 0;

  public static final int LABEL_COPIES = 2;

  /** The ring of root records, one sector each. */
  public static final int RING_FIRST_SECTOR = LABEL_FIRST_SECTOR + LABEL_COPIES;

  public static final int RING_SLOTS = 128;

  /** The intent log, of as many sectors as the label says; perhaps none. */
  public static final int LOG_FIRST_SECTOR = RING_FIRST_SECTOR + RING_SLOTS;

  public static final int LOG_SECTORS_MAX = (64 << 20) / SECTOR_BYTES;

  /** No data lies before this sector. Behind the intent log, sectors belong to the allocator. */
  public static final int DATA_FIRST_SECTOR = LOG_FIRST_SECTOR;

  private DeviceLayout() {}
}
