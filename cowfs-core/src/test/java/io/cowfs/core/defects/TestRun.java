package io.cowfs.core.defects;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * Runs tests for {@code scripts/defects}: whole classes, or single methods of them. The exit code
 * says what happened, so that a test that fails is not taken for one that could not be run.
 */
final class TestRun {
  private static final int PASSED = 0;
  private static final int FAILED = 1;

  /** No test ran, or the classes do not fit together: nothing is known. */
  private static final int NOT_RUN = 3;

  private TestRun() {}

  /**
   * @param arguments names of classes, with their packages; {@code CLASS#METHOD} for one method
   */
  public static void main(String[] arguments) {
    Map<String, Set<String>> methods =
        Arrays.stream(arguments)
            .map(argument -> argument.split("#", 2))
            .collect(
                Collectors.groupingBy(
                    parts -> parts[0],
                    Collectors.mapping(
                        parts -> parts.length == 1 ? "" : parts[1], Collectors.toSet())));
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(methods.keySet().stream().map(name -> selectClass(name)).toList())
            .filters((PostDiscoveryFilter) test -> FilterResult.includedIf(isMeant(test, methods)))
            .build();
    SummaryGeneratingListener listener = new SummaryGeneratingListener();
    Launcher launcher = LauncherFactory.create();
    launcher.execute(request, listener);
    TestExecutionSummary summary = listener.getSummary();
    // The process would wait for threads that a defect left behind.
    Runtime.getRuntime().exit(report(summary));
  }

  /** Classes are kept where one of their methods is. */
  private static boolean isMeant(TestDescriptor test, Map<String, Set<String>> methods) {
    if (test.getSource().orElse(null) instanceof MethodSource source) {
      Set<String> wanted = methods.getOrDefault(source.getClassName(), Set.of(""));
      return wanted.contains("") || wanted.contains(source.getMethodName());
    }
    return true;
  }

  private static int report(TestExecutionSummary summary) {
    List<TestExecutionSummary.Failure> failures = summary.getFailures();
    for (TestExecutionSummary.Failure failure : failures) {
      System.out.println("failed: " + failure.getTestIdentifier().getDisplayName());
      failure.getException().printStackTrace(System.out);
    }
    System.out.println(summary.getTestsStartedCount() + " tests ran");
    boolean fits = failures.stream().noneMatch(failure -> isLinkage(failure.getException()));
    if (summary.getTestsStartedCount() == 0 || !fits) {
      return NOT_RUN;
    }
    return failures.isEmpty() ? PASSED : FAILED;
  }

  private static boolean isLinkage(Throwable failure) {
    Throwable cause = failure;
    while (cause != null
        && !(cause instanceof IncompatibleClassChangeError)
        && !(cause instanceof NoClassDefFoundError)) {
      cause = cause.getCause();
    }
    return cause != null;
  }
}
