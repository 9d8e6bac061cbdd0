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

  /** From here on, sectors belong to the allocator. */
  public static final int DATA_FIRST_SECTOR = RING_FIRST_SECTOR + RING_SLOTS;

  private DeviceLayout() {}
}
