package io.cowfs.tools.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cowfs.tools.command.PathLookup;
import io.cowfs.tools.command.PoolVerb;
import io.cowfs.tools.control.ControlRequest;
import io.cowfs.tools.target.MountTable;
import io.cowfs.tools.target.Target;
import io.cowfs.tools.target.TargetException;
import io.cowfs.tools.target.TargetResolver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What may be handed over unparsed, and that a second target is sent by its name in the pool. */
class UnparsedLineTest {
  @TempDir private Path base;

  private PathLookup paths;

  @BeforeEach
  void makePools() throws IOException {
    base = base.toRealPath();
    Files.createDirectories(base.resolve("pool"));
    Files.createDirectories(base.resolve("other"));
    MountTable mounts = MountTable.read();
    paths =
        new PathLookup() {
          @Override
          public Target target(String text) throws TargetException {
            return new TargetResolver(base, mounts, p -> p.endsWith("pool") || p.endsWith("other"))
                .resolve(text);
          }

          @Override
          public Path path(String text) {
            throw new AssertionError("needs no path");
          }

          @Override
          public Optional<OnMount> onMount(String text) {
            throw new AssertionError("needs no path");
          }

          @Override
          public String insideDataset(String path, Target target) {
            throw new AssertionError("needs no path");
          }
        };
  }

  private Optional<ControlRequest> request(String... line) throws IOException {
    return UnparsedLine.request(PoolVerb.find(line[0]).orElseThrow(), List.of(line), paths);
  }

  private void assertSent(List<String> expected, String... line) throws IOException {
    ControlRequest request = request(line).orElseThrow();
    assertEquals(expected, request.arguments());
    assertEquals(base.resolve("pool"), request.target().pool());
  }

  private void assertParsed(String... line) throws IOException {
    assertEquals(Optional.empty(), request(line));
  }

  @Test
  void optionsWithoutValuesAndOneTargetAreSentAsTheyStand() throws IOException {
    assertSent(List.of("list", "-H", "pool/home", "-p"), "list", "-H", "pool/home", "-p");
    assertSent(List.of("snapshot", "-r", "pool@x"), "snapshot", "-r", "pool@x");
    assertSent(List.of("hold", "pool@x", "tag"), "hold", "pool@x", "tag");
    assertSent(List.of("set", "pool", "a=b", "c=d"), "set", "pool", "a=b", "c=d");
    assertSent(List.of("get", "pool"), "get", "pool");
  }

  @Test
  void whatOnlyTheParserCanTellIsLeftToIt() throws IOException {
    assertParsed("list");
    assertParsed("list", "pool", "pool");
    assertParsed("create", "-o", "a=b", "pool/x");
    assertParsed("create", "-oa=b", "pool/x");
    assertParsed("clone", "-o", "a=b", "pool@x", "pool/y");
    assertParsed("clone", "pool@x");
    assertParsed("rollback", "--path", "docs", "pool@x");
    assertParsed("rollback", "--path=docs", "pool@x");
    assertParsed("set", "--", "pool", "a=b");
    assertParsed("mount", "pool");
    assertParsed("umount", "pool");
  }

  @Test
  void secondTargetIsSentByItsNameInThePool() throws IOException {
    assertSent(List.of("clone", "pool@x", "new"), "clone", "pool@x", "pool/new");
    assertSent(List.of("clone", "pool@x", "a/new"), "clone", "pool@x", base + "/pool/a/new/");
    assertSent(List.of("rename", "pool/a", "b"), "rename", "pool/a", "pool/b");
    assertSent(List.of("rename", "pool/a@x", "y"), "rename", "pool/a@x", "y");
    assertSent(List.of("rename", "pool/a@x", "y"), "rename", "pool/a@x", "@y");
    assertSent(List.of("rename", "pool/a@x", "y"), "rename", "pool/a@x", "pool/a@y");
    assertSent(List.of("rename", "pool@x", "y"), "rename", "pool@x", "pool/root@y");
    assertParsed("rename", "pool@x", "@-y");
  }

  private void assertRefused(String message, String... line) {
    TargetException refusal = assertThrows(TargetException.class, () -> request(line));
    assertEquals(message, refusal.getMessage());
  }

  @Test
  void secondTargetMustFitTheFirst() {
    String pools = base.resolve("pool") + " and " + base.resolve("other");
    assertRefused("cannot clone from one pool to another: " + pools, "clone", "pool@x", "other/y");
    assertRefused(
        "cannot rename from one pool to another: " + pools, "rename", "pool/x", "other/y");
    assertRefused(
        "cannot rename from one pool to another: " + pools, "rename", "pool/a@x", "other/a@y");
    assertRefused(
        "a snapshot stays with its dataset, a: name only @NEW", "rename", "pool/a@x", "pool/b@y");
    assertRefused("the new name is that of a dataset: leave out @y", "clone", "pool@x", "pool/a@y");
    assertRefused("no new name given: write POOL/NEW", "rename", "pool/a", "pool");
  }
}
