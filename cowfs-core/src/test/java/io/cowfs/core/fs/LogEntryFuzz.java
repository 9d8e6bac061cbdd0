package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.btree.Key;
import io.cowfs.core.fs.LogEntry.HoleMade;
import io.cowfs.core.fs.LogEntry.ItemDeleted;
import io.cowfs.core.fs.LogEntry.ItemPut;
import io.cowfs.core.fs.LogEntry.SectorsWritten;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Decodes the entries of a section of the intent log. */
public final class LogEntryFuzz {
  private LogEntryFuzz() {}

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) {
    ByteBuffer section = ByteBuffer.wrap(input).order(ByteOrder.LITTLE_ENDIAN);
    try {
      while (section.hasRemaining()) {
        int from = section.position();
        LogEntry entry = LogEntryFormat.decode(section);
        assertEquals(entry.logBytes(), section.position() - from);
        ByteBuffer again = ByteBuffer.allocate(entry.logBytes()).order(ByteOrder.LITTLE_ENDIAN);
        entry.encode(again);
        assertEquals(section.slice(from, entry.logBytes()), again.flip(), "not what was read");
      }
    } catch (CorruptBlockException refused) {
      assertEquals(1, refused.getMessage().lines().count());
    }
  }

  /** Inputs to begin with. */
  public static byte[][] seeds() {
    List<LogEntry> entries =
        List.of(
            new ItemPut(1, new Key(5, Items.INODE, 0), new byte[InodeFormat.BYTES]),
            new ItemDeleted(1, new Key(5, Items.DIRECTORY_ENTRY, 1L << 40)),
            SectorsWritten.of(2, 5, 3, new byte[] {1, 2}),
            new HoleMade(1, 5, 0, DirtyFile.SECTORS_MAX));
    int bytes = entries.stream().mapToInt(LogEntry::logBytes).sum();
    ByteBuffer section = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    entries.forEach(entry -> entry.encode(section));
    return new byte[][] {section.array()};
  }
}
