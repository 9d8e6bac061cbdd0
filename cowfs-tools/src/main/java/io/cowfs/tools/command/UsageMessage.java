package io.cowfs.tools.command;

import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.MutuallyExclusiveArgsException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Says what is wrong with a command line, where the parser speaks of indexes and the like. */
final class UsageMessage {
  /** So many letters may be wrong in a word for another one to be meant. */
  private static final int TYPING_ERRORS_MAX = 2;

  private UsageMessage() {}

  static String of(ParameterException e) {
    if (e instanceof UnmatchedArgumentException unmatched && !unmatched.getUnmatched().isEmpty()) {
      return unmatched(unmatched.getUnmatched().get(0), e.getCommandLine().getCommandSpec());
    }
    if (e instanceof MissingParameterException missing && !missing.getMissing().isEmpty()) {
      return missing.getMissing().stream()
          .map(UsageMessage::missing)
          .collect(Collectors.joining(", "));
    }
    if (e instanceof MutuallyExclusiveArgsException) {
      return e.getMessage().replaceFirst("^Error: ", "");
    }
    if (e.getCause() instanceof TypeConversionException reason && e.getArgSpec() != null) {
      return e.getArgSpec() instanceof OptionSpec option
          ? option.longestName() + ": " + reason.getMessage()
          : reason.getMessage();
    }
    return e.getMessage();
  }

  private static String unmatched(String word, CommandSpec command) {
    if (word.length() > 1 && word.startsWith("-")) {
      List<String> names =
          command.options().stream().flatMap(option -> List.of(option.names()).stream()).toList();
      return "unknown option '" + word + "'" + suggestion(word, names);
    }
    if (command.parent() == null) {
      List<String> verbs =
          command.subcommands().entrySet().stream()
              .filter(verb -> !verb.getValue().getCommandSpec().usageMessage().hidden())
              .map(verb -> verb.getKey())
              .toList();
      return "no command '" + word + "'" + suggestion(word, verbs);
    }
    return "unexpected '" + word + "'";
  }

  private static String missing(ArgSpec argument) {
    return argument instanceof OptionSpec option
        ? option.longestName() + " needs " + option.paramLabel()
        : argument.paramLabel() + " is missing";
  }

  private static String suggestion(String word, List<String> known) {
    String best = null;
    int least = Math.min(TYPING_ERRORS_MAX, word.length() / 2) + 1;
    for (String each : known) {
      int distance = distance(word, each);
      if (distance < least) {
        least = distance;
        best = each;
      }
    }
    return best == null ? "" : ": did you mean '" + best + "'?";
  }

  /** How many letters have to be put in, left out or replaced (Levenshtein's distance). */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
