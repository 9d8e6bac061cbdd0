package io.cowfs.core.device;

import java.util.ArrayList;
import java.util.List;

/**
 * By which bytes near the start of a device others, and cowfs itself, tell that it is theirs. The
 * offsets are those of the formats' own definitions, which libblkid looks for as well.
 */
final class DeviceSignatures {
  /** So much of the start of a device has all the signatures. */
  static final int BYTES = 256 << 10;

  /**
   * What is looked for.
   *
   * @param content what a device with it holds, for users
   * @param offset in bytes
   * @param magic a character for each byte
   */
  record Signature(String content, int offset, String magic) {}

  private static final int LVM_SECTORS = 4;
  private static final int LVM_SECTOR_BYTES = 512;
  private static final int ZFS_UBERBLOCKS = 128 << 10;
  private static final int ZFS_UBERBLOCK_BYTES_MIN = 1 << 10;
  private static final int SWAP_MAGIC_BYTES = 10;
  private static final int SWAP_PAGE_BYTES_MIN = 4 << 10;
  private static final int SWAP_PAGE_BYTES_MAX = 64 << 10;

  /** Boot sectors come last: file systems have them too. */
  static final List<Signature> ALL = all();

  private DeviceSignatures() {}

  private static List<Signature> all() {
    List<Signature> all = new ArrayList<>();
    for (int copy = 0; copy < DeviceLayout.LABEL_COPIES; copy++) {
      all.add(new Signature("a cowfs pool", copy * DeviceLayout.SECTOR_BYTES, "COWFS\0\0\0"));
    }
    all.add(bytes("an ext2, ext3 or ext4 file system", 0x438, 0x53, 0xef));
    all.add(new Signature("a Btrfs file system", 0x10040, "_BHRfS_M"));
    all.add(new Signature("an XFS file system", 0, "XFSB"));
    all.add(bytes("an F2FS file system", 0x400, 0x10, 0x20, 0xf5, 0xf2));
    all.add(new Signature("an NTFS file system", 3, "NTFS    "));
    all.add(new Signature("an exFAT file system", 3, "EXFAT   "));
    all.add(new Signature("a SquashFS file system", 0, "hsqs"));
    all.add(new Signature("an ISO 9660 file system", 0x8001, "CD001"));
    all.add(bytes("a LUKS volume", 0, 'L', 'U', 'K', 'S', 0xba, 0xbe));
    for (int sector = 0; sector < LVM_SECTORS; sector++) {
      all.add(new Signature("an LVM volume", sector * LVM_SECTOR_BYTES, "LABELONE"));
    }
    all.add(bytes("a member of a RAID", 0, 0xfc, 0x4e, 0x2b, 0xa9));
    all.add(bytes("a member of a RAID", 0x1000, 0xfc, 0x4e, 0x2b, 0xa9));
    for (int page = SWAP_PAGE_BYTES_MIN; page <= SWAP_PAGE_BYTES_MAX; page *= 2) {
      all.add(new Signature("swap space", page - SWAP_MAGIC_BYTES, "SWAPSPACE2"));
      all.add(new Signature("swap space", page - SWAP_MAGIC_BYTES, "SWAP-SPACE"));
    }
    for (int at = ZFS_UBERBLOCKS; at < BYTES; at += ZFS_UBERBLOCK_BYTES_MIN) {
      all.add(bytes("a member of a ZFS pool", at, 0x0c, 0xb1, 0xba, 0, 0, 0, 0, 0));
      all.add(bytes("a member of a ZFS pool", at, 0, 0, 0, 0, 0, 0xba, 0xb1, 0x0c));
    }
    all.add(new Signature("a partition table", 0x200, "EFI PART"));
    all.add(bytes("a partition table or boot sector", 0x1fe, 0x55, 0xaa));
    return List.copyOf(all);
  }

  private static Signature bytes(String content, int offset, int... magic) {
    return new Signature(content, offset, new String(magic, 0, magic.length));
  }
}
