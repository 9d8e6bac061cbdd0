package io.cowfs.core.fs;

import static io.cowfs.core.fs.AclFormat.*;

import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * An access control list of POSIX 1003.1e draft 17, as acl(5) describes it. Three of its entries
 * are the permission bits of the mode: those of the owner, of others, and of the mask, or of the
 * group where there is no mask.
 */
record Acl(List<Entry> entries) {
  private static final int PERMISSIONS = 7;
  private static final int MODE = 0777;

  /**
   * @param id of a named user or group; else undefined
   */
  record Entry(int tag, int permissions, int id) {
    Entry withPermissions(int other) {
      return new Entry(tag, other, id);
    }
  }

  Acl {
    entries = List.copyOf(entries);
  }

  /**
   * Reads the value of an extended attribute.
   *
   * @throws FsException NOT_SUPPORTED for another version, INVALID when it is no valid list
   */
  static Acl decode(byte[] value) throws FsException {
    ByteBuffer buffer = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    if (value.length < HEADER_BYTES || (value.length - HEADER_BYTES) % ENTRY_BYTES != 0) {
      throw new FsException(FsError.INVALID);
    }
    if (buffer.getInt(VERSION) != VERSION_2) {
      throw new FsException(FsError.NOT_SUPPORTED);
    }
    List<Entry> entries = new ArrayList<>();
    for (int at = HEADER_BYTES; at < value.length; at += ENTRY_BYTES) {
      entries.add(
          new Entry(
              Short.toUnsignedInt(buffer.getShort(at + ENTRY_TAG)),
              Short.toUnsignedInt(buffer.getShort(at + ENTRY_PERMISSIONS)),
              buffer.getInt(at + ENTRY_ID)));
    }
    Acl acl = new Acl(entries);
    if (!acl.isEmpty() && !acl.isValid()) {
      throw new FsException(FsError.INVALID);
    }
    return acl;
  }

  byte[] encode() {
    ByteBuffer buffer =
        ByteBuffer.allocate(HEADER_BYTES + entries.size() * ENTRY_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(VERSION_2);
    for (Entry entry : entries) {
      buffer.putShort((short) entry.tag).putShort((short) entry.permissions).putInt(entry.id);
    }
    return buffer.array();
  }

  boolean isEmpty() {
    return entries.isEmpty();
  }

  /** In order, each of the three of the mode once, and a mask where anybody is named. */
  private boolean isValid() {
    int before = 0;
    int seen = 0;
    for (Entry entry : entries) {
      boolean known = Integer.bitCount(entry.tag) == 1 && entry.tag <= OTHER;
      boolean named = entry.tag == USER || entry.tag == GROUP;
      if (!known
          || entry.permissions > PERMISSIONS
          || entry.tag < before
          || (entry.tag == before && !named)
          || (named && entry.id == -1)) {
        return false;
      }
      before = entry.tag;
      seen |= entry.tag;
    }
    boolean names = (seen & (USER | GROUP)) != 0;
    int needed = USER_OBJECT | GROUP_OBJECT | OTHER | (names ? MASK : 0);
    return (seen & needed) == needed;
  }

  private boolean hasMask() {
    return entries.stream().anyMatch(entry -> entry.tag == MASK);
  }

  /** True when it says no more than the permission bits of a mode. */
  boolean isMode() {
    return entries.size() == 3 && !hasMask();
  }

  /** Where the permissions of an entry stand in a mode; -1 where they stand in none. */
  private int shift(Entry entry) {
    return switch (entry.tag) {
      case USER_OBJECT -> 6;
      case GROUP_OBJECT -> hasMask() ? -1 : 3;
      case MASK -> 3;
      case OTHER -> 0;
      default -> -1;
    };
  }

  /** The mode with the permission bits that the list stands for. */
  int appliedTo(int mode) {
    int bits = 0;
    for (Entry entry : entries) {
      int shift = shift(entry);
      bits |= shift < 0 ? 0 : entry.permissions << shift;
    }
    return (mode & ~MODE) | bits;
  }

  /** What chmod(2) makes of it. */
  Acl withMode(int mode) {
    return mapped((entry, shift) -> mode >>> shift & PERMISSIONS);
  }

  /** What becomes of a directory's default list for a file that is asked for with this mode. */
  Acl forNewFile(int mode) {
    return mapped((entry, shift) -> entry.permissions & mode >>> shift);
  }

  private interface Permissions {
    int of(Entry entry, int shift);
  }

  private Acl mapped(Permissions permissions) {
    List<Entry> mapped = new ArrayList<>(entries.size());
    for (Entry entry : entries) {
      int shift = shift(entry);
      mapped.add(
          shift < 0 ? entry : entry.withPermissions(permissions.of(entry, shift) & PERMISSIONS));
    }
    return new Acl(mapped);
  }
}
