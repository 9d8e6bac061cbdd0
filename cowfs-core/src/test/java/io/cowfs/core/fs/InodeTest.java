package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.vfs.FileType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a file takes, as stat(2) shows it, while some of it is not committed. */
class InodeTest {
  private static final long SIZE = 1000L * BlockPointer.SECTOR_BYTES;
  private final PageArena arena = new PageArena();
  private final Inode inode = new Inode(17);

  @BeforeEach
  void makeFile() {
    inode.mode = FileType.REGULAR.format() | 0644;
    inode.size = SIZE;
  }

  @AfterEach
  void dropData() {
    inode.dirty.drop();
  }

  /** Overwrites pages of the file. */
  private void write(int pages, int copies) {
    inode.dirty = new DirtyFile(1, copies, arena);
    for (int i = 0; i < pages; i++) {
      inode.dirty.pageForWriting(i);
    }
  }

  private void assertSectors(long expected) {
    assertEquals(expected * BlockPointer.SECTOR_BYTES, inode.attributes().allocatedBytes());
  }

  @Test
  void whatASparseFileGotCountsOnceWhileItIsCommitted() {
    write(40, 1);
    assertSectors(40);
    inode.takes(40, SIZE);
    inode.dirty.setAllocated();
    assertSectors(40);
  }

  @Test
  void aFileThatIsOverwrittenTakesNoMoreThanItCanHave() {
    inode.takes(1000, SIZE);
    write(40, 1);
    assertSectors(1000);
  }

  @Test
  void copiesCountUntilWhatReplacesThemIsCommitted() {
    inode.takes(2000, SIZE);
    write(40, 1);
    assertSectors(2000);
    inode.size = SIZE / 2; // what is cut off does not count
    assertSectors(1000);
  }
}
