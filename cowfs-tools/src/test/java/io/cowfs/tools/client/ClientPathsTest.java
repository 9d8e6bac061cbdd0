package io.cowfs.tools.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cowfs.tools.target.Target;
import io.cowfs.tools.target.TargetException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClientPathsTest {
  @TempDir private Path base;

  private String refusal(String path) {
    ClientPaths paths = new ClientPaths(base);
    Target target = Target.ofDataset(Path.of("/srv/pool"), "home");
    return assertThrows(TargetException.class, () -> paths.insideDataset(path, target))
        .getMessage();
  }

  @Test
  void pathOnNoMountOfTheDatasetIsNamedAsItReallyIs() throws IOException {
    base = base.toRealPath();
    Files.createDirectories(base.resolve("a/b"));
    Files.createSymbolicLink(base.resolve("link"), base.resolve("a/b"));
    String why = " is on no mount of /srv/pool/home";
    assertEquals(base + "/a/x" + why, refusal("a/x"));
    assertEquals(base + "/a/b/x" + why, refusal("./link/x"));
    assertEquals(base + "/a/b/gone/x" + why, refusal("link/gone/x"));
    assertEquals(base + "/a/x" + why, refusal("link/../x"));
    assertEquals(base + "/a" + why, refusal("link/.."));
    assertEquals(base + "/link" + why, refusal("./link"));
    assertEquals("/" + why, refusal("/"));
  }
}
