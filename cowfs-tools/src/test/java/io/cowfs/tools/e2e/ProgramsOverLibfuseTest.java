package io.cowfs.tools.e2e;

import org.junit.jupiter.api.condition.EnabledIf;

/** The programs do over libfuse what they do elsewhere. */
@EnabledIf("io.cowfs.tools.e2e.Requirements#libfuse")
final class ProgramsOverLibfuseTest extends ProgramsMountTest {
  @Override
  String[] mountOptions() {
    return new String[] {"--transport=libfuse"};
  }
}
