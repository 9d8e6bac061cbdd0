package io.cowfs.tools.posix;

import java.lang.annotation.Annotation;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
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
    if (!possible) {
      return ConditionEvaluationResult.disabled("needs root and /dev/fuse");
    }
    // Only a test itself has an instance, and with it a mount.
    return context
        .getTestInstance()
        .map(test -> ((PosixContract) test).mount)
        .map(mount -> onMount(mount, context.getElement().orElseThrow()))
        .orElse(ConditionEvaluationResult.enabled("root, with /dev/fuse"));
  }

  private static ConditionEvaluationResult onMount(Mount mount, AnnotatedElement test) {
    if (!mount.isPossible()) {
      return ConditionEvaluationResult.disabled("needs libfuse.so.2");
    }
    Needs needs = annotation(test, Needs.class);
    if (needs != null && !mount.hasAllFeatures()) {
      return ConditionEvaluationResult.disabled("docs/TRANSPORTS.md: " + needs.value().row());
    }
    Lacks lacks = annotation(test, Lacks.class);
    if (lacks != null && mount.hasAllFeatures()) {
      return ConditionEvaluationResult.disabled("has " + lacks.value());
    }
    return ConditionEvaluationResult.enabled("possible on " + mount);
  }

  /** Of a test, or of its class. */
  private static <A extends Annotation> A annotation(AnnotatedElement test, Class<A> type) {
    A own = test.getAnnotation(type);
    return own == null && test instanceof Method method
        ? method.getDeclaringClass().getAnnotation(type)
        : own;
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
