package io.cowfs.tools.posix;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.StoreScope;

/**
 * Opens each mount when the first test needs it, for all classes of this virtual machine, and
 * closes it with the last one. Each test gets a directory of its own there.
 */
final class Mounts implements ExecutionCondition, BeforeEachCallback, AfterEachCallback {
  private static final Namespace NAMESPACE = Namespace.create(Mounts.class);

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    boolean possible =
        System.getProperty("user.name").equals("root") && Files.isWritable(Path.of("/dev/fuse"));
    return possible
        ? ConditionEvaluationResult.enabled("root, with /dev/fuse")
        : ConditionEvaluationResult.disabled("needs root and /dev/fuse");
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    PosixContract test = (PosixContract) context.getRequiredTestInstance();
    Mount.Opened opened =
        context
            .getStore(StoreScope.LAUNCHER_SESSION, NAMESPACE)
            .getOrComputeIfAbsent(test.mount, Mount::open, Mount.Opened.class);
    test.begin(opened.root());
  }

  @Override
  public void afterEach(ExtensionContext context) {
    ((PosixContract) context.getRequiredTestInstance()).end();
  }
}
