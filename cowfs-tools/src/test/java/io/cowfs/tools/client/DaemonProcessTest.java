package io.cowfs.tools.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class DaemonProcessTest {
  private static String complaint(int code, String... lines) {
    return DaemonProcess.complaint(Path.of("/srv/pool"), List.of(lines), code);
  }

  @Test
  void whatTheDaemonSaysItselfIsTheReason() {
    assertEquals(
        "/srv/pool: in use",
        complaint(3, "a warning of a library", "cowfs: /srv/pool: in use", "and something else"));
  }

  @Test
  void whatItsVirtualMachineSaysIsOneLine() {
    assertEquals(
        "/srv/pool: cannot start its daemon: Error occurred during initialization of VM; Could not"
            + " reserve enough space (exit code 1; more may be in /srv/pool/log)",
        complaint(
            1,
            "#",
            "# Error occurred during initialization of VM",
            "",
            "Could not reserve enough space"));
  }

  @Test
  void aDaemonThatSaysNothingIsNamedWithItsEnd() {
    assertEquals(
        "/srv/pool: cannot start its daemon: it ended without a word (exit code 1; more may be in"
            + " /srv/pool/log)",
        complaint(1));
    assertEquals(
        "/srv/pool: cannot start its daemon: it ended without a word (it was killed by signal 9;"
            + " more may be in /srv/pool/log)",
        complaint(137, "", "cowfs: "));
  }
}
