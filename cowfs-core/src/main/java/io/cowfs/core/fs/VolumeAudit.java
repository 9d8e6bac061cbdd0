package io.cowfs.core.fs;

import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Checks that the items of one tree form a file system. Goes through the tree once, looks up what
 * lies elsewhere, and keeps one inode in memory. Confined to one thread; the tree must stay.
 *
 * <p>Findings are lines that begin with a stable id:
 *
 * <ul>
 *   <li>{@code fs/unreadable}: a node or an item cannot be read
 *   <li>{@code fs/stray}: an item of an inode that does not exist, or that its type cannot have
 *   <li>{@code fs/links}: link counts, entry counts, names and back references do not fit together
 *   <li>{@code fs/count}: there are not as many inodes as the books say
 *   <li>{@code fs/orphan}: an inode without links is not on the list of orphans, or one with links
 *       is
 *   <li>{@code fs/data}: extents overlap, lie behind the end, or do not add up
 *   <li>{@code fs/value}: a symbolic link or an attribute's value is not whole
 * </ul>
 */
public final class VolumeAudit {
  private static final int FINDINGS_MAX = 50;

  private static final class Summary {
    Inode inode;
    long items;
    long entries;
    long subdirectories;
    long backReferences;
    long sectors;
    long dataEnd;
    long inlineBytes = -1;
    long symlinkBytes;
    final Map<Long, Long> valueBytes = new HashMap<>();
  }

  private final String dataset;
  private final Tree tree;
  private final List<String> findings = new ArrayList<>();

  /** The inode whose items are being read. */
  private long number;

  private Summary summary = new Summary();

  private long files;

  private VolumeAudit(String dataset, Tree tree) {
    this.dataset = dataset;
    this.tree = tree;
  }

  /**
   * Audits a tree; an empty list means that all is well.
   *
   * @param dataset its name, for the findings
   * @param files the inodes with links that it must have
   */
  public static List<String> run(String dataset, Tree tree, long files) {
    VolumeAudit audit = new VolumeAudit(dataset, tree);
    try {
      audit.check();
      audit.checkCount(files);
    } catch (IOException failure) {
      audit.report("fs/unreadable", failure.getMessage());
    }
    return audit.findings;
  }

  private void report(String id, String text) {
    if (findings.size() < FINDINGS_MAX) {
      findings.add("%s: %s: %s%s".formatted(id, dataset, text, path()));
    }
  }

  /** Of the inode that is being looked at; nothing before the first. */
  private String path() {
    return number == 0 ? "" : " (" + DirectoryItems.pathOf(tree, number) + ")";
  }

  private void check() throws IOException {
    tree.scan(
        Items.firstOf(0),
        Items.lastOf(-1L),
        (key, source, offset, length) -> {
          if (key.high() != number) {
            checkInode();
            number = key.high();
            summary = new Summary();
          }
          item(key, Arrays.copyOfRange(source, offset, offset + length));
          return true;
        });
    checkInode();
    if (tree.root() != null && tree.get(Items.inode(FileSystem.ROOT_INODE)) == null) {
      report("fs/links", "there is no root directory");
    }
  }

  private void checkCount(long expected) {
    number = 0;
    if (files != expected) {
      report("fs/count", "%d files, and %d in the books".formatted(files, expected));
    }
  }

  private void item(Key key, byte[] value) throws IOException {
    if (key.kind() == Items.ORPHAN && number == 0) {
      checkOrphan(key.low());
      return;
    }
    summary.items++;
    switch (key.kind()) {
      case Items.INODE -> summary.inode = decode(number, value);
      case Items.BACK_REFERENCE -> {
        summary.backReferences++;
        checkBackReference(NameFormat.decode(value));
      }
      case Items.SYMLINK -> summary.symlinkBytes += value.length;
      case Items.XATTR -> xattr(value);
      case Items.XATTR_VALUE ->
          summary.valueBytes.merge(Items.valueId(key), (long) -value.length, Long::sum);
      case Items.DIRECTORY_ENTRY -> {
        NameFormat.Entry entry = NameFormat.decode(value);
        summary.entries++;
        summary.subdirectories += entry.type() == FileType.DIRECTORY ? 1 : 0;
        if (Items.firstSlot(entry.name()) != (key.low() & ~(long) Items.SLOT_MASK)) {
          report("fs/links", "an entry of inode %d is not where it belongs".formatted(number));
        }
        checkEntry(entry);
      }
      case Items.INLINE_DATA -> summary.inlineBytes = value.length;
      case Items.EXTENT -> extent(key, DataExtentFormat.decode(value));
      default -> report("fs/stray", "an item of the unknown kind " + key.kind());
    }
  }

  private static Inode decode(long number, byte[] value) throws IOException {
    Inode inode = new Inode(number);
    inode.decode(value);
    return inode;
  }

  private void checkOrphan(long orphan) throws IOException {
    byte[] value = tree.get(Items.inode(orphan));
    if (value == null || decode(orphan, value).nlink != 0) {
      report("fs/orphan", "inode %d is on the list and is none".formatted(orphan));
    }
  }

  private void checkEntry(NameFormat.Entry entry) throws IOException {
    byte[] child = tree.get(Items.inode(entry.inode()));
    if (child == null || decode(entry.inode(), child).type() != entry.type()) {
      report(
          "fs/links",
          "%s leads to nothing, or to something of another type".formatted(shown(number, entry)));
    }
    long slot = Items.firstSlot(number, entry.name());
    if (!has(entry.inode(), Items.BACK_REFERENCE, slot, number, entry.name())) {
      report("fs/links", shown(number, entry) + " has no back reference");
    }
  }

  private void checkBackReference(NameFormat.Entry reference) throws IOException {
    long parent = reference.inode();
    long slot = Items.firstSlot(reference.name());
    if (!has(parent, Items.DIRECTORY_ENTRY, slot, number, reference.name())) {
      report("fs/links", shown(parent, reference) + " is only a back reference");
    }
  }

  /** Whether one of the eight slots of a name leads to an inode. */
  private boolean has(long owner, int kind, long firstSlot, long target, byte[] name)
      throws IOException {
    return !tree.scan(
        new Key(owner, kind, firstSlot),
        new Key(owner, kind, firstSlot | Items.SLOT_MASK),
        (key, source, offset, length) -> {
          NameFormat.Entry found =
              NameFormat.decode(Arrays.copyOfRange(source, offset, offset + length));
          return found.inode() != target || !Arrays.equals(found.name(), name);
        });
  }

  private static String shown(long parent, NameFormat.Entry entry) {
    return "'%s' in inode %d"
        .formatted(new String(entry.name(), StandardCharsets.ISO_8859_1), parent);
  }

  private void xattr(byte[] value) throws IOException {
    XattrFormat.Xattr xattr = XattrFormat.decode(value);
    if (xattr.isExternal()) {
      summary.valueBytes.merge(xattr.valueId(), (long) xattr.length(), Long::sum);
    }
  }

  private void extent(Key key, DataExtent extent) {
    if (key.low() < summary.dataEnd) {
      report("fs/data", "extents of inode %d overlap at %d".formatted(key.high(), key.low()));
    }
    summary.sectors += extent.allocatedSectors();
    summary.dataEnd = key.low() + extent.logicalBytes();
  }

  /** All its items were read. */
  private void checkInode() throws IOException {
    if (summary.items == 0) {
      return;
    }
    Inode inode = summary.inode;
    if (inode == null) {
      report("fs/stray", "items of inode %d, which does not exist".formatted(number));
      return;
    }
    if (inode.nlink == 0) {
      if (tree.get(Items.orphan(number)) == null) {
        report("fs/orphan", "inode %d has no links and is not on the list".formatted(number));
      }
      return;
    }
    files++;
    checkLinks(inode);
    checkData(inode);
    if (inode.type() == FileType.SYMLINK
        ? summary.symlinkBytes != inode.size
        : summary.symlinkBytes > 0) {
      report(
          "fs/value",
          "the target of inode %d has %d bytes".formatted(number, summary.symlinkBytes));
    }
    summary.valueBytes.forEach(
        (id, missing) -> {
          if (missing != 0) {
            report(
                "fs/value", "an attribute of inode %d lacks %d bytes".formatted(number, missing));
          }
        });
  }

  private void checkLinks(Inode inode) {
    boolean fits;
    if (inode.isDirectory()) {
      long names = number == FileSystem.ROOT_INODE ? 0 : 1;
      fits =
          inode.nlink == 2 + summary.subdirectories
              && inode.size == summary.entries
              && summary.backReferences == names;
    } else {
      fits = summary.entries == 0 && inode.nlink == summary.backReferences;
    }
    if (!fits) {
      report(
          "fs/links",
          "inode %d has %d links and size %d, but %d names, %d entries and %d subdirectories"
              .formatted(
                  number,
                  inode.nlink,
                  inode.size,
                  summary.backReferences,
                  summary.entries,
                  summary.subdirectories));
    }
  }

  private void checkData(Inode inode) {
    boolean hasData = summary.sectors > 0 || summary.inlineBytes >= 0;
    if (hasData && !inode.isRegular()) {
      report("fs/stray", "inode %d has data and is no file".formatted(number));
    }
    if (summary.sectors > 0 && summary.inlineBytes >= 0) {
      report("fs/data", "inode %d has inline data and extents".formatted(number));
    }
    if (inode.isRegular() && summary.sectors != inode.allocatedSectors) {
      report(
          "fs/data",
          "inode %d has %d sectors, its item says %d"
              .formatted(number, summary.sectors, inode.allocatedSectors));
    }
    long end =
        (inode.size + PageArena.PAGE_BYTES - 1) / PageArena.PAGE_BYTES * PageArena.PAGE_BYTES;
    if (inode.isRegular() && (summary.dataEnd > end || summary.inlineBytes > inode.size)) {
      report(
          "fs/data",
          "inode %d has data up to %d and size %d".formatted(number, summary.dataEnd, inode.size));
    }
  }
}
