package io.cowfs.core.dataset;

import io.cowfs.core.device.MemberState;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.UUID;

/** The members of a mirror as stored in the index, one after the other, ascending by number. */
final class MemberTableFormat {
  static final int NUMBER = 0;
  static final int STATE = NUMBER + Short.BYTES;
  static final int REPLACES = STATE + Byte.BYTES;
  static final int COMPLETE_TXG = REPLACES + Byte.BYTES;
  static final int MEMBER_HIGH = COMPLETE_TXG + Long.BYTES;
  static final int MEMBER_LOW = MEMBER_HIGH + Long.BYTES;
  static final int BYTES = MEMBER_LOW + Long.BYTES;

  private MemberTableFormat() {}

  static byte[] encode(List<MemberRecord> members) {
    ByteBuffer table = ByteBuffer.allocate(members.size() * BYTES).order(ByteOrder.LITTLE_ENDIAN);
    int at = 0;
    for (MemberRecord member : members) {
      table.putShort(at + NUMBER, (short) member.number());
      table.put(at + STATE, (byte) member.state().ordinal());
      table.put(at + REPLACES, (byte) (member.replaces().orElse(-1) + 1));
      table.putLong(at + COMPLETE_TXG, member.completeTxg());
      table.putLong(at + MEMBER_HIGH, member.uuid().getMostSignificantBits());
      table.putLong(at + MEMBER_LOW, member.uuid().getLeastSignificantBits());
      at += BYTES;
    }
    return table.array();
  }

  /**
   * Decodes and checks the table.
   *
   * @throws BadRecordException when it is none; the caller names the file
   */
  static List<MemberRecord> decode(byte[] value) throws BadRecordException {
    require(value.length > 0 && value.length % BYTES == 0, "has a wrong size");
    ByteBuffer table = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    List<MemberRecord> members = new ArrayList<>();
    int before = -1;
    for (int at = 0; at < value.length; at += BYTES) {
      int state = table.get(at + STATE);
      require(state >= 0 && state < MemberState.values().length, "has an unknown state");
      MemberRecord member =
          new MemberRecord(
              Short.toUnsignedInt(table.getShort(at + NUMBER)),
              new UUID(table.getLong(at + MEMBER_HIGH), table.getLong(at + MEMBER_LOW)),
              MemberState.values()[state],
              table.getLong(at + COMPLETE_TXG),
              replaces(Byte.toUnsignedInt(table.get(at + REPLACES))));
      require(member.number() > before, "has a wrong number");
      require(member.completeTxg() >= 0, "has a wrong txg");
      before = member.number();
      members.add(member);
    }
    require(
        members.stream().anyMatch(member -> member.state() == MemberState.ONLINE),
        "has nobody who has everything");
    return List.copyOf(members);
  }

  private static OptionalInt replaces(int stored) {
    return stored == 0 ? OptionalInt.empty() : OptionalInt.of(stored - 1);
  }

  private static void require(boolean condition, String what) throws BadRecordException {
    if (!condition) {
      throw new BadRecordException("the table of members " + what);
    }
  }
}
