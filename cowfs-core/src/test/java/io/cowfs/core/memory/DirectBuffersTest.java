package io.cowfs.core.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class DirectBuffersTest {
  private static final int MIB = 1 << 20;

  @Test
  void buffersBeginWhereDevicesWantThem() {
    for (int bytes : new int[] {1, 4096, 100_000, 3 * MIB}) {
      ByteBuffer aligned = DirectBuffers.aligned(bytes);
      assertTrue(aligned.isDirect());
      assertEquals(bytes, aligned.remaining());
      assertEquals(0, aligned.alignmentOffset(0, 4096));
      ByteBuffer large = DirectBuffers.large(bytes);
      assertTrue(large.isDirect());
      assertEquals(bytes, large.capacity());
      assertEquals(bytes, large.remaining());
      assertEquals(0, large.alignmentOffset(0, DirectBuffers.LARGE_PAGE_BYTES));
    }
  }

  /** A view is all that is kept of each: what it shows must not be given to anyone else. */
  @Test
  void aViewKeepsItsMemory() {
    List<ByteBuffer> views = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      ByteBuffer view = DirectBuffers.large(2 * MIB).slice(MIB, 8).duplicate();
      views.add(view.putLong(0, i));
    }
    System.gc();
    for (int i = 0; i < 32; i++) {
      DirectBuffers.large(2 * MIB).putLong(MIB, -1);
    }
    for (int i = 0; i < views.size(); i++) {
      assertEquals(i, views.get(i).getLong(0));
    }
  }

  @Test
  void whatNobodyHasAnyMoreIsGivenBack() throws IOException {
    long before = residentKib();
    for (int i = 0; i < 500; i++) {
      ByteBuffer buffer = DirectBuffers.large(8 * MIB);
      for (int at = 0; at < buffer.capacity(); at += 4096) {
        buffer.put(at, (byte) 1);
      }
    }
    long more = residentKib() - before;
    assertTrue(more < 1_000_000, "4,000 MiB were used and dropped: " + more + " KiB are left");
  }

  private static long residentKib() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow();
  }
}
