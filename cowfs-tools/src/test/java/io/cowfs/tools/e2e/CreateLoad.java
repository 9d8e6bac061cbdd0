package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Creates and deletes files and directories, and syncs the directory after each. After a crash all
 * acknowledged ones are there, with their contents, and besides them at most the one in the making.
 */
final class CreateLoad extends CrashLoad {
  private static final int FILES_MAX = 60;

  private final Map<String, byte[]> acknowledged = new HashMap<>();
  private String inTheMaking = "";
  private String inDeletion = "";
  private int counter;

  CreateLoad(Path directory, long seed) {
    super(directory, seed);
  }

  @Override
  protected void step() throws IOException {
    if (acknowledged.size() > random.nextInt(FILES_MAX)) {
      inDeletion = acknowledged.keySet().iterator().next();
      Files.delete(directory.resolve(inDeletion));
      syncDirectory(directory);
      acknowledged.remove(inDeletion);
      inDeletion = "";
      return;
    }
    inTheMaking = "created-" + counter++;
    byte[] content = noise(20_000);
    writeSynced(directory.resolve(inTheMaking), content);
    syncDirectory(directory);
    acknowledged.put(inTheMaking, content);
    inTheMaking = "";
  }

  @Override
  void verify(String where) throws IOException {
    Set<String> found = new HashSet<>();
    try (var files = Files.newDirectoryStream(directory)) {
      files.forEach(file -> found.add(file.getFileName().toString()));
    }
    Set<String> unexpected = new HashSet<>(found);
    unexpected.removeAll(acknowledged.keySet());
    unexpected.remove(inTheMaking);
    assertEquals(Set.of(), unexpected, "back from the dead in " + directory + ", " + where);
    if (found.remove(inTheMaking)) {
      Files.delete(directory.resolve(inTheMaking));
      syncDirectory(directory);
    }
    if (!inDeletion.isEmpty() && !found.contains(inDeletion)) {
      acknowledged.remove(inDeletion);
    }
    assertEquals(acknowledged.keySet(), found, "files in " + directory + ", " + where);
    for (String name : found) {
      assertTrue(
          Arrays.equals(acknowledged.get(name), Files.readAllBytes(directory.resolve(name))),
          () -> name + " has another content, " + where);
    }
    inTheMaking = "";
    inDeletion = "";
  }
}
