package io.cowfs.core.dataset;

import io.cowfs.core.btree.Key;
import io.cowfs.core.dataset.ScrubRecord.Stage;
import io.cowfs.core.dataset.ScrubRecord.State;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.Optional;

/** The {@link ScrubRecord} as stored in the index, with the number of its findings. */
final class ScrubRecordFormat {
  static final int VERSION_NUMBER = 2;

  static final int VERSION = 0;
  static final int STATE = VERSION + Integer.BYTES;
  static final int STAGE = STATE + Byte.BYTES;
  static final int HAS_KEY = STAGE + Byte.BYTES;
  static final int KEY_KIND = HAS_KEY + Byte.BYTES;
  static final int KEY_HIGH = KEY_KIND + Byte.BYTES;
  static final int KEY_LOW = KEY_HIGH + Long.BYTES;
  static final int AT = KEY_LOW + Long.BYTES;
  static final int ROUND = AT + Integer.BYTES;
  static final int BORN_AFTER = ROUND + Integer.BYTES;
  static final int BORN_UP_TO = BORN_AFTER + Long.BYTES;
  static final int STARTED = BORN_UP_TO + Long.BYTES;
  static final int ENDED = STARTED + Long.BYTES;
  static final int ACTIVE_MILLIS = ENDED + Long.BYTES;
  static final int READ_BYTES = ACTIVE_MILLIS + Long.BYTES;
  static final int TOTAL_BYTES = READ_BYTES + Long.BYTES;
  static final int ERRORS = TOTAL_BYTES + Long.BYTES;
  static final int REPAIRED_BYTES = ERRORS + Long.BYTES;
  static final int FINDINGS = REPAIRED_BYTES + Long.BYTES;
  static final int BYTES = FINDINGS + Integer.BYTES;

  private ScrubRecordFormat() {}

  static byte[] encode(ScrubRecord scrub, int findings) {
    ByteBuffer record = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    record.putInt(VERSION, VERSION_NUMBER);
    record.put(STATE, (byte) scrub.state().ordinal());
    record.put(STAGE, (byte) scrub.stage().ordinal());
    scrub
        .key()
        .ifPresent(
            key ->
                record
                    .put(HAS_KEY, (byte) 1)
                    .put(KEY_KIND, (byte) key.kind())
                    .putLong(KEY_HIGH, key.high())
                    .putLong(KEY_LOW, key.low()));
    record.putInt(AT, scrub.at());
    record.putInt(ROUND, scrub.round());
    record.putLong(BORN_AFTER, scrub.bornAfter());
    record.putLong(BORN_UP_TO, scrub.bornUpTo());
    record.putLong(STARTED, scrub.started().toEpochMilli());
    record.putLong(ENDED, scrub.ended().map(Instant::toEpochMilli).orElse(0L));
    record.putLong(ACTIVE_MILLIS, scrub.activeMillis());
    record.putLong(READ_BYTES, scrub.readBytes());
    record.putLong(TOTAL_BYTES, scrub.totalBytes());
    record.putLong(ERRORS, scrub.errors());
    record.putLong(REPAIRED_BYTES, scrub.repairedBytes());
    record.putInt(FINDINGS, findings);
    return record.array();
  }

  /**
   * Decodes and checks the record.
   *
   * @throws BadRecordException when it is none; the caller names the file
   */
  static ScrubRecord decode(byte[] value) throws BadRecordException {
    require(value.length == BYTES, "has a wrong size");
    ByteBuffer record = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    require(record.getInt(VERSION) == VERSION_NUMBER, "is of an unknown version");
    int state = record.get(STATE);
    int stage = record.get(STAGE);
    int hasKey = record.get(HAS_KEY);
    require(state >= 0 && state < State.values().length, "has an unknown state");
    require(stage >= 0 && stage < Stage.values().length, "has an unknown stage");
    require(hasKey == 0 || hasKey == 1, "has an unknown flag");
    ScrubRecord scrub =
        new ScrubRecord(
            State.values()[state],
            record.getInt(ROUND),
            record.getLong(BORN_AFTER),
            record.getLong(BORN_UP_TO),
            Stage.values()[stage],
            record.getInt(AT),
            hasKey == 0 ? Optional.empty() : Optional.of(key(record)),
            Instant.ofEpochMilli(record.getLong(STARTED)),
            state == State.FINISHED.ordinal()
                ? Optional.of(Instant.ofEpochMilli(record.getLong(ENDED)))
                : Optional.empty(),
            record.getLong(ACTIVE_MILLIS),
            record.getLong(READ_BYTES),
            record.getLong(TOTAL_BYTES),
            record.getLong(ERRORS),
            record.getLong(REPAIRED_BYTES));
    require(
        scrub.bornAfter() >= 0
            && scrub.bornUpTo() >= scrub.bornAfter()
            && scrub.round() > 0
            && scrub.at() >= 0
            && scrub.activeMillis() >= 0
            && scrub.readBytes() >= 0
            && scrub.totalBytes() >= 0
            && scrub.errors() >= 0
            && scrub.repairedBytes() >= 0
            && findings(value) >= 0,
        "has a wrong number");
    return scrub;
  }

  private static Key key(ByteBuffer record) {
    return new Key(
        record.getLong(KEY_HIGH),
        Byte.toUnsignedInt(record.get(KEY_KIND)),
        record.getLong(KEY_LOW));
  }

  /** The number of findings in a value of the right size. */
  static int findings(byte[] value) {
    return ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).getInt(FINDINGS);
  }

  private static void require(boolean condition, String what) throws BadRecordException {
    if (!condition) {
      throw new BadRecordException("the record of the scrub " + what);
    }
  }
}
