package io.cowfs.tools.command;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.core.fs.FileChange;
import io.cowfs.core.fs.FileChange.Kind;
import io.cowfs.core.vfs.FileType;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class ChangeListingTest {
  private final StringWriter printed = new StringWriter();
  private final PrintWriter out = new PrintWriter(printed);
  private final ChangeListing listing = new ChangeListing(out);

  private String text(Kind kind, FileType type, byte[] path, byte[] oldPath) {
    printed.getBuffer().setLength(0);
    listing.printText(new FileChange(kind, 7, type, path, oldPath));
    return printed.toString();
  }

  private String json(Kind kind, FileType type, byte[] path, byte[] oldPath) {
    printed.getBuffer().setLength(0);
    listing.printJson(new FileChange(kind, 7, type, path, oldPath));
    return printed.toString();
  }

  private String shown(byte[] path) {
    return text(Kind.ADDED, FileType.REGULAR, path, null);
  }

  @Test
  void directoriesEndWithASlash() {
    assertEquals("- /d/\n", text(Kind.REMOVED, FileType.DIRECTORY, "/d".getBytes(UTF_8), null));
    assertEquals("M /\n", text(Kind.MODIFIED, FileType.DIRECTORY, "/".getBytes(UTF_8), null));
    assertEquals(
        "R /a/ -> /b/\n",
        text(Kind.RENAMED, FileType.DIRECTORY, "/b".getBytes(UTF_8), "/a".getBytes(UTF_8)));
    assertEquals("M /s\n", text(Kind.MODIFIED, FileType.SYMLINK, "/s".getBytes(UTF_8), null));
  }

  @Test
  void noNameBreaksALineOrLooksLikeAnother() {
    assertEquals("+ /a\\012+ b\n", shown("/a\n+ b".getBytes(UTF_8)));
    assertEquals("+ /\\033[2J\n", shown("/\u001b[2J".getBytes(UTF_8)));
    assertEquals("+ /a\\\\012\n", shown("/a\\012".getBytes(UTF_8)));
    assertEquals("+ /a -\\076 b\n", shown("/a -> b".getBytes(UTF_8)));
    assertEquals("+ /a -\\076 -\\076 b\n", shown("/a -> -> b".getBytes(UTF_8)));
    assertEquals("+ /\u00e9\u4e2d\ud83d\ude00 x\n", shown("/é中😀 x".getBytes(UTF_8)));
    assertEquals("+ /\\351t\\351\n", shown("/été".getBytes(ISO_8859_1)));
    // cut off, overlong, a surrogate, a C1 control, one that turns the direction
    assertEquals("+ /\\344\\270\n", shown(new byte[] {'/', (byte) 0xE4, (byte) 0xB8}));
    assertEquals("+ /\\300\\257\n", shown(new byte[] {'/', (byte) 0xC0, (byte) 0xAF}));
    assertEquals(
        "+ /\\355\\240\\200\n", shown(new byte[] {'/', (byte) 0xED, (byte) 0xA0, (byte) 0x80}));
    assertEquals("+ /\\302\\205\n", shown("/\u0085".getBytes(UTF_8)));
    assertEquals("+ /\\342\\200\\256x\n", shown("/\u202ex".getBytes(UTF_8)));
    assertEquals("+ /\\377\\377\n", shown(new byte[] {'/', (byte) 0xFF, (byte) 0xFF}));
  }

  @Test
  void jsonKeepsEveryByte() {
    assertEquals(
        "{\"kind\": \"renamed\", \"path\": \"/a\\\"\\\\\\u000a\", \"oldPath\": \"/\u00e9\","
            + " \"type\": \"file\", \"inode\": 7}\n",
        json(Kind.RENAMED, FileType.REGULAR, "/a\"\\\n".getBytes(UTF_8), "/é".getBytes(UTF_8)));
    assertEquals(
        "{\"kind\": \"added\", \"path\": \"/\ufffd\", \"pathBase64\": \"L/8=\", \"oldPath\": null,"
            + " \"type\": \"block-device\", \"inode\": 7}\n",
        json(Kind.ADDED, FileType.BLOCK_DEVICE, new byte[] {'/', (byte) 0xFF}, null));
  }
}
