package io.cowfs.tools.differential;

import java.util.ArrayList;
import java.util.List;

/**
 * Calls, and how closely they are watched.
 *
 * @param watched look at the tree after each call, and not only now and then
 * @param apart wait between calls, so that each change of a time shows
 */
record Sequence(List<Call> calls, boolean watched, boolean apart) {
  Sequence with(List<Call> fewer) {
    return new Sequence(new ArrayList<>(fewer), watched, apart);
  }

  String script() {
    StringBuilder text = new StringBuilder();
    calls.forEach(call -> text.append("  ").append(call).append('\n'));
    return text.toString();
  }
}
