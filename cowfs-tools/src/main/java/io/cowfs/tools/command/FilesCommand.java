package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A command on files: those of a pool, of a dataset, or at and below one path. */
abstract class FilesCommand extends PoolCommand {
  @Option(
      names = "--path",
      paramLabel = "PATH",
      description =
          "Only this file or directory, of a dataset that need not be mounted. PATH starts at the"
              + " root of the dataset.")
  private String path;

  @Parameters(
      paramLabel = "PATH[/DATASET]",
      description =
          "Where PATH is a pool, a mount point, or a file or directory on a mount. A pool without"
              + " DATASET stands for all its datasets.")
  private String target;

  FilesCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public final String target() {
    return target;
  }

  @Override
  public Target locate(PathLookup paths) throws IOException {
    if (path == null) {
      Optional<PathLookup.OnMount> file = paths.onMount(target);
      if (file.isPresent()) {
        target = file.get().mountPoint().toString();
        path = file.get().inside();
      }
    }
    return super.locate(paths);
  }

  @Override
  public final List<String> arguments() {
    List<String> arguments = new ArrayList<>();
    arguments.add(verb().text());
    arguments.addAll(options());
    if (path != null) {
      arguments.add("--path=" + path);
    }
    arguments.addAll(List.of("--", target));
    return arguments;
  }

  /** The options that were given, beside --path. */
  abstract List<String> options();

  /** The dataset meant; null for all of the pool. */
  final String dataset(PoolSession session, Target resolved) throws IOException {
    resolved.refuseSnapshot(verb().text());
    boolean all = path == null && resolved.dataset().isEmpty() && resolved.mount().isEmpty();
    if (all) {
      return null;
    }
    String dataset = resolved.datasetOrDefault();
    boolean isBelowMount = resolved.mount().isPresent() && resolved.dataset().isPresent();
    if (isBelowMount
        && session.list().stream().noneMatch(each -> each.fullName().equals(dataset))) {
      // It was no path that exists, so it was taken for a dataset's name.
      throw new IOException(
          "%s: no such file or directory, and no dataset '%s' in the pool"
              .formatted(target, dataset));
    }
    return dataset;
  }

  /** The path from the root of the dataset; empty for all of it. */
  final byte[] path() {
    return path == null ? new byte[0] : path.getBytes(StandardCharsets.UTF_8);
  }
}
