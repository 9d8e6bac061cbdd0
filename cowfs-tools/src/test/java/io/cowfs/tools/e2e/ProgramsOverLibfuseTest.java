package io.cowfs.tools.e2e;

import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The programs do over libfuse what they do elsewhere. Only with {@code -Dcowfs.soak=true}. */
@EnabledIfSystemProperty(named = "cowfs.soak", matches = "true")
@EnabledIf("io.cowfs.tools.e2e.Requirements#libfuse")
final class ProgramsOverLibfuseTest extends ProgramsMountTest {
  @Override
  String[] mountOptions() {
    return new String[] {"--transport=libfuse"};
  }
}
