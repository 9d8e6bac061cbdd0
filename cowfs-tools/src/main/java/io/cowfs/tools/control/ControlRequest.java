package io.cowfs.tools.control;

import io.cowfs.tools.target.CowfsMount;
import io.cowfs.tools.target.Target;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A command line for the daemon.
 *
 * @param arguments the command line, verb first
 * @param target what the client found its target to mean; the daemon looks at no paths
 */
public record ControlRequest(List<String> arguments, Target target) {
  static final int MAGIC = 0x434f5746; // "COWF"
  static final int VERSION = 1;

  /** Longest body of a request, in bytes. */
  static final int LENGTH_MAX = 1 << 20;

  static final int ARGUMENTS_MAX = 1024;

  public ControlRequest {
    arguments = List.copyOf(arguments);
  }

  /** Sends the request in one write. */
  void writeTo(DataOutputStream out) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream body = new DataOutputStream(bytes);
    body.writeShort(arguments.size());
    for (String argument : arguments) {
      writeString(body, argument);
    }
    writeOptional(body, target.dataset());
    writeOptional(body, target.mount().map(m -> m.mountPoint().toString()));
    writeOptional(body, target.mount().map(CowfsMount::dataset));
    writeOptional(body, target.snapshot());
    if (bytes.size() > LENGTH_MAX || arguments.size() > ARGUMENTS_MAX) {
      throw new ControlException("the command line is too long");
    }
    out.writeInt(MAGIC);
    out.writeShort(VERSION);
    out.writeInt(bytes.size());
    bytes.writeTo(out);
    out.flush();
  }

  /**
   * Reads a request for the daemon of {@code pool}.
   *
   * @throws ControlException when the request is malformed
   */
  static ControlRequest readFrom(DataInputStream in, Path pool) throws IOException {
    byte[] bytes;
    try {
      if (in.readInt() != MAGIC) {
        throw new ControlException("malformed request: wrong magic number");
      }
      int version = in.readUnsignedShort();
      if (version != VERSION) {
        throw new ControlException(
            "the daemon of this pool speaks version "
                + VERSION
                + " of the control protocol, not "
                + version
                + ": unmount and mount again");
      }
      int length = in.readInt();
      if (length < 0 || length > LENGTH_MAX) {
        throw new ControlException(
            "malformed request: length " + Integer.toUnsignedString(length) + " is out of bounds");
      }
      // Grows with what arrives: a length alone does not make the daemon allocate.
      bytes = in.readNBytes(length);
      if (bytes.length < length) {
        throw new EOFException();
      }
    } catch (EOFException e) {
      throw new ControlException("malformed request: cut off", e);
    }
    try (DataInputStream body = new DataInputStream(new ByteArrayInputStream(bytes))) {
      return parse(body, pool);
    } catch (EOFException | CharacterCodingException | InvalidPathException e) {
      throw new ControlException("malformed request: damaged body", e);
    }
  }

  private static ControlRequest parse(DataInputStream body, Path pool) throws IOException {
    int count = body.readUnsignedShort();
    if (count == 0 || count > ARGUMENTS_MAX) {
      throw new ControlException("malformed request: " + count + " arguments");
    }
    List<String> arguments = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      arguments.add(readString(body));
    }
    Optional<String> dataset = readOptional(body);
    Optional<String> mountPoint = readOptional(body);
    Optional<String> mountedDataset = readOptional(body);
    Optional<String> snapshot = readOptional(body);
    if (mountPoint.isPresent() != mountedDataset.isPresent() || body.available() > 0) {
      throw new ControlException("malformed request: damaged body");
    }
    Optional<CowfsMount> mount =
        mountPoint.map(p -> new CowfsMount(Path.of(p), pool, mountedDataset.get()));
    return new ControlRequest(arguments, new Target(pool, dataset, mount, snapshot));
  }

  private static void writeString(DataOutputStream out, String s) throws IOException {
    byte[] bytes = s.getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  private static void writeOptional(DataOutputStream out, Optional<String> s) throws IOException {
    out.writeByte(s.isPresent() ? 1 : 0);
    if (s.isPresent()) {
      writeString(out, s.get());
    }
  }

  private static String readString(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > in.available()) {
      throw new ControlException("malformed request: a string is longer than the request");
    }
    byte[] bytes = in.readNBytes(length);
    return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
  }

  private static Optional<String> readOptional(DataInputStream in) throws IOException {
    return switch (in.readUnsignedByte()) {
      case 0 -> Optional.empty();
      case 1 -> Optional.of(readString(in));
      default -> throw new ControlException("malformed request: damaged body");
    };
  }
}
