package io.cowfs.core.fs;

import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Checks that the items of one tree form a file system. Confined to one thread; the tree must stay.
 *
 * <p>Findings are lines that begin with a stable id:
 *
 * <ul>
 *   <li>{@code fs/unreadable}: a node or an item cannot be read
 *   <li>{@code fs/stray}: an item of an inode that does not exist, or that its type cannot have
 *   <li>{@code fs/links}: link counts, entry counts, names and back references do not fit together
 *   <li>{@code fs/orphan}: an inode without links is not on the list of orphans, or one with links
 *       is
 *   <li>{@code fs/data}: extents overlap, lie behind the end, or do not add up
 *   <li>{@code fs/value}: a symbolic link or an attribute's value is not whole
 * </ul>
 */
public final class VolumeAudit {
  private static final int FINDINGS_MAX = 50;

  /** A name as seen from one of its two sides. */
  private record Name(long parent, String name, long child) {}

  private static final class Summary {
    Inode inode;
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
  private final Map<Long, Summary> inodes = new HashMap<>();
  private final Set<Long> orphans = new HashSet<>();
  private final Map<Name, FileType> entries = new HashMap<>();
  private final Set<Name> backReferences = new HashSet<>();

  private VolumeAudit(String dataset, Tree tree) {
    this.dataset = dataset;
    this.tree = tree;
  }

  /**
   * Audits a tree; an empty list means that all is well.
   *
   * @param dataset its name, for the findings
   */
  public static List<String> run(String dataset, Tree tree) {
    VolumeAudit audit = new VolumeAudit(dataset, tree);
    try {
      audit.collect();
      audit.check();
    } catch (IOException failure) {
      audit.report("fs/unreadable", failure.getMessage());
    }
    return audit.findings;
  }

  private void report(String id, String text) {
    if (findings.size() < FINDINGS_MAX) {
      findings.add(id + ": " + dataset + ": " + text);
    }
  }

  private void collect() throws IOException {
    tree.scan(
        Items.firstOf(0),
        Items.lastOf(-1L),
        (key, source, offset, length) -> {
          item(key, Arrays.copyOfRange(source, offset, offset + length));
          return true;
        });
  }

  private void item(Key key, byte[] value) throws IOException {
    if (key.kind() == Items.ORPHAN && key.high() == 0) {
      orphans.add(key.low());
      return;
    }
    Summary summary = inodes.computeIfAbsent(key.high(), number -> new Summary());
    switch (key.kind()) {
      case Items.INODE -> {
        summary.inode = new Inode(key.high());
        summary.inode.decode(value);
      }
      case Items.BACK_REFERENCE -> {
        NameFormat.Entry entry = NameFormat.decode(value);
        summary.backReferences++;
        backReferences.add(new Name(entry.inode(), text(entry.name()), key.high()));
      }
      case Items.SYMLINK -> summary.symlinkBytes += value.length;
      case Items.XATTR -> xattr(value, summary);
      case Items.XATTR_VALUE ->
          summary.valueBytes.merge(key.low() >>> 8, (long) -value.length, Long::sum);
      case Items.DIRECTORY_ENTRY -> {
        NameFormat.Entry entry = NameFormat.decode(value);
        summary.entries++;
        summary.subdirectories += entry.type() == FileType.DIRECTORY ? 1 : 0;
        if (Items.firstSlot(entry.name()) != (key.low() & ~(long) Items.SLOT_MASK)) {
          report("fs/links", "an entry of inode %d is not where it belongs".formatted(key.high()));
        }
        entries.put(new Name(key.high(), text(entry.name()), entry.inode()), entry.type());
      }
      case Items.INLINE_DATA -> summary.inlineBytes = value.length;
      case Items.EXTENT -> extent(key, DataExtentFormat.decode(value), summary);
      default -> report("fs/stray", "an item of the unknown kind " + key.kind());
    }
  }

  private static String text(byte[] name) {
    return new String(name, java.nio.charset.StandardCharsets.ISO_8859_1);
  }

  private static void xattr(byte[] value, Summary summary) throws IOException {
    XattrFormat.Xattr xattr = XattrFormat.decode(value);
    if (xattr.isExternal()) {
      summary.valueBytes.merge(xattr.valueId(), (long) xattr.length(), Long::sum);
    }
  }

  private void extent(Key key, DataExtent extent, Summary summary) {
    if (key.low() < summary.dataEnd) {
      report("fs/data", "extents of inode %d overlap at %d".formatted(key.high(), key.low()));
    }
    summary.sectors += extent.sectors();
    summary.dataEnd = key.low() + extent.logicalBytes();
  }

  private void check() {
    inodes.forEach(this::check);
    for (Map.Entry<Name, FileType> entry : entries.entrySet()) {
      Name name = entry.getKey();
      Summary child = inodes.get(name.child());
      if (child == null || child.inode == null || child.inode.type() != entry.getValue()) {
        report("fs/links", name + " leads to nothing, or to something of another type");
      }
      if (!backReferences.contains(name)) {
        report("fs/links", name + " has no back reference");
      }
    }
    for (Name name : backReferences) {
      if (!entries.containsKey(name)) {
        report("fs/links", name + " is only a back reference");
      }
    }
    for (long orphan : orphans) {
      Summary summary = inodes.get(orphan);
      if (summary == null || summary.inode == null || summary.inode.nlink != 0) {
        report("fs/orphan", "inode %d is on the list and is none".formatted(orphan));
      }
    }
    if (!inodes.isEmpty() && !inodes.containsKey(FileSystem.ROOT_INODE)) {
      report("fs/links", "there is no root directory");
    }
  }

  private void check(long number, Summary summary) {
    Inode inode = summary.inode;
    if (inode == null) {
      report("fs/stray", "items of inode %d, which does not exist".formatted(number));
      return;
    }
    if (inode.nlink == 0) {
      if (!orphans.contains(number)) {
        report("fs/orphan", "inode %d has no links and is not on the list".formatted(number));
      }
      return;
    }
    checkLinks(number, inode, summary);
    checkData(number, inode, summary);
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

  private void checkLinks(long number, Inode inode, Summary summary) {
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

  private void checkData(long number, Inode inode, Summary summary) {
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
