package io.cowfs.tools.command;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.ByteSize;
import io.cowfs.core.device.NewDevice;
import io.cowfs.core.device.NewDevice.Overwrite;
import io.cowfs.core.pool.NewMember;
import io.cowfs.core.pool.Pool;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Creates a pool. */
@Command(
    name = "init",
    description = "Create a pool in a new or empty directory, with one empty dataset, root.",
    footer = {
      "",
      "Examples:",
      "  cowfs init --size 100G --compression zstd-3 /srv/pool",
      "  cowfs init /srv/pool --mirror /disk1/pool /disk2/pool",
    })
public final class InitCommand implements Callable<Integer> {
  /** The last whole TiB below what a pool can have. */
  private static final long SIZE_BYTES_MAX = Pool.CAPACITY_BYTES_MAX >> 40 << 40;

  @Option(
      names = "--size",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = {
        "Limit of the space used, such as 500M or 2T; at least 16M, at most 15T (default: none but"
            + " the host's).",
      })
  private long sizeBytes;

  @Option(
      names = "--compression",
      paramLabel = "METHOD",
      defaultValue = "lz4",
      converter = CompressionConverter.class,
      description = "none, lz4 or zstd[-LEVEL] (default: ${DEFAULT-VALUE}).")
  private CompressionSetting compression;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      description =
          "A block device for the data. The directory has the index. A device that is in use is"
              + " refused, and so is one that holds a file system or the like.")
  private Path device;

  @Option(
      names = "--mirror",
      arity = "2..*",
      paramLabel = "DIR|DEVICE",
      description =
          "Keep all data on each of these: block devices, and directories that are new or empty."
              + " Comes last.")
  private List<Path> mirror = new ArrayList<>();

  @Option(
      names = "--force",
      description = "Take devices although they hold something, which is lost.")
  private boolean force;

  @Parameters(paramLabel = "POOL", description = "The directory of the pool.")
  private Path pool;

  @Spec private CommandSpec spec;

  private final CommandRunner runner;

  InitCommand(CommandRunner runner) {
    this.runner = runner;
  }

  /** The directory of the pool to create. */
  public Path pool(Path workingDirectory) {
    return workingDirectory.resolve(pool).normalize();
  }

  /** What was asked for. */
  public Pool.CreateOptions options(Path workingDirectory) {
    Overwrite overwrite = force ? Overwrite.FORCE : Overwrite.REFUSE;
    NewDevice blockDevice =
        device == null
            ? null
            : new NewDevice(workingDirectory.resolve(device).normalize(), overwrite);
    List<NewMember> members =
        mirror.stream()
            .map(each -> new NewMember(workingDirectory.resolve(each).normalize(), overwrite))
            .toList();
    return new Pool.CreateOptions(sizeBytes, compression, blockDevice, members);
  }

  @Override
  public Integer call() throws IOException {
    if (force && device == null && mirror.isEmpty()) {
      throw new ParameterException(spec.commandLine(), "--force goes with --device or --mirror");
    }
    if (device != null && !mirror.isEmpty()) {
      throw new ParameterException(spec.commandLine(), "use --device or --mirror, not both");
    }
    if (sizeBytes != 0 && (sizeBytes < Pool.CAPACITY_BYTES_MIN || sizeBytes > SIZE_BYTES_MAX)) {
      throw new ParameterException(spec.commandLine(), "--size: use at least 16M, at most 15T");
    }
    return runner.init(this);
  }

  static final class SizeConverter implements ITypeConverter<Long> {
    @Override
    public Long convert(String value) {
      try {
        return ByteSize.parse(value);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  static final class CompressionConverter implements ITypeConverter<CompressionSetting> {
    @Override
    public CompressionSetting convert(String value) {
      try {
        return CompressionSetting.parse(value);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
