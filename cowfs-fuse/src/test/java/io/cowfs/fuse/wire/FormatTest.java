package io.cowfs.fuse.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** The sizes and some offsets as a C compiler has them for {@code linux/fuse.h} 7.38. */
class FormatTest {
  @Test
  void headersHaveTheSizesOfTheKernels() {
    assertEquals(40, HeaderFormat.IN_SIZE);
    assertEquals(32, HeaderFormat.IN_PID);
    assertEquals(36, HeaderFormat.IN_EXTENSION_WORDS);
    assertEquals(16, HeaderFormat.OUT_SIZE);
    assertEquals(64, InitFormat.IN_SIZE);
    assertEquals(16, InitFormat.IN_SIZE_SHORT);
    assertEquals(64, InitFormat.OUT_SIZE);
    assertEquals(28, InitFormat.OUT_MAX_PAGES);
    assertEquals(32, InitFormat.OUT_FLAGS2);
  }

  @Test
  void attributesHaveTheSizesOfTheKernels() {
    assertEquals(88, AttrFormat.ATTR_BYTES);
    assertEquals(60, AttrFormat.ATTR_MODE);
    assertEquals(128, AttrFormat.ENTRY_BYTES);
    assertEquals(40, AttrFormat.ENTRY_ATTR);
    assertEquals(104, AttrFormat.OUT_BYTES);
    assertEquals(16, AttrFormat.GET_BYTES);
    assertEquals(88, AttrFormat.SET_BYTES);
    assertEquals(68, AttrFormat.SET_MODE);
    assertEquals(76, AttrFormat.SET_UID);
    assertEquals(80, StatfsFormat.BYTES);
    assertEquals(24, StatxFormat.IN_BYTES);
    assertEquals(288, StatxFormat.OUT_BYTES);
    assertEquals(80, StatxFormat.STAT_BTIME);
    assertEquals(56, FileFormat.COPY_BYTES);
    assertEquals(32, IoctlFormat.IN_BYTES);
    assertEquals(16, IoctlFormat.OUT_BYTES);
    assertEquals(28, IoctlFormat.FSX_BYTES);
    assertEquals(24, IoctlFormat.TRIM_BYTES);
  }

  @Test
  void namesHaveTheSizesOfTheKernels() {
    assertEquals(16, NameFormat.MKNOD_BYTES);
    assertEquals(8, NameFormat.MKDIR_BYTES);
    assertEquals(8, NameFormat.RENAME_BYTES);
    assertEquals(16, NameFormat.RENAME2_BYTES);
    assertEquals(8, NameFormat.LINK_BYTES);
    assertEquals(8, NameFormat.FORGET_BYTES);
    assertEquals(8, NameFormat.BATCH_BYTES);
    assertEquals(16, NameFormat.BATCH_ONE_BYTES);
    assertEquals(8, NameFormat.INTERRUPT_BYTES);
    assertEquals(24, DirentFormat.NAME);
    assertEquals(32, DirentFormat.bytes(8));
    assertEquals(40, DirentFormat.bytes(9));
  }

  @Test
  void filesHaveTheSizesOfTheKernels() {
    assertEquals(8, FileFormat.OPEN_BYTES);
    assertEquals(16, FileFormat.CREATE_BYTES);
    assertEquals(16, FileFormat.OPENED_BYTES);
    assertEquals(24, FileFormat.RELEASE_BYTES);
    assertEquals(40, FileFormat.READ_BYTES);
    assertEquals(40, FileFormat.WRITE_BYTES);
    assertEquals(8, FileFormat.WRITTEN_BYTES);
    assertEquals(16, FileFormat.FSYNC_BYTES);
    assertEquals(24, FileFormat.LSEEK_BYTES);
    assertEquals(8, FileFormat.SOUGHT_BYTES);
    assertEquals(32, FileFormat.FALLOCATE_BYTES);
    assertEquals(16, XattrFormat.SET_BYTES);
    assertEquals(8, XattrFormat.SET_BYTES_SHORT);
    assertEquals(8, XattrFormat.GET_BYTES);
    assertEquals(8, XattrFormat.OUT_BYTES);
    assertEquals(24, NotifyFormat.INODE_BYTES);
    assertEquals(16, NotifyFormat.ENTRY_BYTES);
  }
}
