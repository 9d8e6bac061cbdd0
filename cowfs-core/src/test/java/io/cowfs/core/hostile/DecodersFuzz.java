package io.cowfs.core.hostile;

import io.cowfs.core.alloc.DeferredFreesFuzz;
import io.cowfs.core.block.PointerFuzz;
import io.cowfs.core.btree.NodeFuzz;
import io.cowfs.core.codec.DecompressionFuzz;
import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.dataset.IndexFileFuzz;
import io.cowfs.core.dataset.RecordsFuzz;
import io.cowfs.core.device.LabelFuzz;
import io.cowfs.core.fs.ItemsFuzz;
import io.cowfs.core.fs.LogEntryFuzz;
import io.cowfs.core.fs.TreeFuzz;
import io.cowfs.core.txg.LogRecordFuzz;
import io.cowfs.core.txg.RootRecordFuzz;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** All targets as one, for a short search; the first byte chooses. */
public final class DecodersFuzz {
  /** The targets, in the order in which they are chosen. */
  static final List<Class<?>> TARGETS =
      List.of(
          LabelFuzz.class,
          RootRecordFuzz.class,
          PointerFuzz.class,
          DecompressionFuzz.class,
          NodeFuzz.class,
          ItemsFuzz.class,
          TreeFuzz.class,
          DeferredFreesFuzz.class,
          RecordsFuzz.class,
          IndexFileFuzz.class,
          LogRecordFuzz.class,
          LogEntryFuzz.class);

  private DecodersFuzz() {}

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    if (input.length == 0) {
      return;
    }
    byte[] rest = Arrays.copyOfRange(input, 1, input.length);
    switch ((input[0] & 0xff) % TARGETS.size()) {
      case 0 -> LabelFuzz.fuzzerTestOneInput(rest);
      case 1 -> RootRecordFuzz.fuzzerTestOneInput(rest);
      case 2 -> PointerFuzz.fuzzerTestOneInput(rest);
      case 3 -> DecompressionFuzz.fuzzerTestOneInput(rest);
      case 4 -> NodeFuzz.fuzzerTestOneInput(rest);
      case 5 -> ItemsFuzz.fuzzerTestOneInput(rest);
      case 6 -> TreeFuzz.fuzzerTestOneInput(rest);
      case 7 -> DeferredFreesFuzz.fuzzerTestOneInput(rest);
      case 8 -> RecordsFuzz.fuzzerTestOneInput(rest);
      case 9 -> IndexFileFuzz.fuzzerTestOneInput(rest);
      case 10 -> LogRecordFuzz.fuzzerTestOneInput(rest);
      default -> LogEntryFuzz.fuzzerTestOneInput(rest);
    }
  }

  /** Inputs to begin with. */
  public static byte[][] seeds() throws DatasetException {
    byte[][][] seeds = {
      LabelFuzz.seeds(),
      RootRecordFuzz.seeds(),
      PointerFuzz.seeds(),
      DecompressionFuzz.seeds(),
      NodeFuzz.seeds(),
      ItemsFuzz.seeds(),
      TreeFuzz.seeds(),
      DeferredFreesFuzz.seeds(),
      RecordsFuzz.seeds(),
      IndexFileFuzz.seeds(),
      LogRecordFuzz.seeds(),
      LogEntryFuzz.seeds()
    };
    List<byte[]> all = new ArrayList<>();
    for (int target = 0; target < seeds.length; target++) {
      for (byte[] seed : seeds[target]) {
        byte[] chosen = new byte[1 + seed.length];
        chosen[0] = (byte) target;
        System.arraycopy(seed, 0, chosen, 1, seed.length);
        all.add(chosen);
      }
    }
    return all.toArray(byte[][]::new);
  }
}
