package io.cowfs.tools.client;

import io.cowfs.tools.command.PathLookup;
import io.cowfs.tools.command.PoolVerb;
import io.cowfs.tools.command.PoolVerb.Operands;
import io.cowfs.tools.command.SecondTarget;
import io.cowfs.tools.control.ControlRequest;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds the targets on a command line without parsing it, so that a daemon, which is warm, can do
 * that. Only what can be told for sure: every word that is no option is an operand, so an option
 * with a value, or a {@code --}, needs the parser. Should a word be the value of an option all the
 * same, then the daemon finds an operand missing, and does nothing.
 */
final class UnparsedLine {
  private UnparsedLine() {}

  /**
   * The request for a command line that the verb begins.
   *
   * @return nothing when the command line has to be parsed
   * @throws io.cowfs.tools.target.TargetException when it names no target where one must be
   */
  static Optional<ControlRequest> request(PoolVerb verb, List<String> arguments, PathLookup paths)
      throws IOException {
    List<Integer> words = new ArrayList<>();
    for (int i = 1; i < arguments.size(); i++) {
      String argument = arguments.get(i);
      if (!argument.startsWith("-")) {
        words.add(i);
      } else if (argument.equals("--") || argument.contains("=")) {
        return Optional.empty();
      }
    }
    if (!isComplete(verb.operands(), words.size())) {
      return Optional.empty();
    }
    Target target = paths.target(arguments.get(words.get(0)));
    List<String> line = new ArrayList<>(arguments);
    if (verb.operands() == Operands.TWO_TARGETS) {
      String name = SecondTarget.nameInPool(verb, target, line.get(words.get(1)), paths);
      if (name.startsWith("-")) {
        return Optional.empty();
      }
      line.set(words.get(1), name);
    }
    return Optional.of(new ControlRequest(line, target));
  }

  private static boolean isComplete(Operands operands, int words) {
    return switch (operands) {
      case PARSED -> false;
      case TARGET -> words == 1;
      case TARGET_AND_WORDS -> words >= 1;
      case TWO_TARGETS -> words == 2;
    };
  }
}
