package io.cowfs.fuse.libfuse;

import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.FileSystemStatus;
import io.cowfs.core.vfs.Timestamp;
import jnr.ffi.Pointer;
import ru.serce.jnrfuse.struct.FileStat;
import ru.serce.jnrfuse.struct.Statvfs;
import ru.serce.jnrfuse.struct.Timespec;

/** Fills {@code struct stat} and {@code struct statvfs}, which the library has zeroed. */
final class StatBuffer {
  /** What {@code st_blksize} shows. */
  private static final int PREFERRED_IO_BYTES = 4096;

  /** The unit of {@code st_blocks}. */
  private static final int STAT_BLOCK_BYTES = 512;

  private StatBuffer() {}

  static void setLinks(Pointer memory, int links) {
    FileStat.of(memory).st_nlink.set(links);
  }

  static void fill(Pointer memory, Attributes attributes) {
    FileStat stat = FileStat.of(memory);
    stat.st_ino.set(attributes.inode());
    stat.st_mode.set(attributes.mode());
    stat.st_nlink.set(attributes.nlink());
    stat.st_uid.set(attributes.uid());
    stat.st_gid.set(attributes.gid());
    stat.st_rdev.set(Integer.toUnsignedLong(attributes.rdev()));
    stat.st_size.set(attributes.size());
    stat.st_blksize.set(PREFERRED_IO_BYTES);
    stat.st_blocks.set(attributes.allocatedBytes() / STAT_BLOCK_BYTES);
    fill(stat.st_atim, attributes.atime());
    fill(stat.st_mtim, attributes.mtime());
    fill(stat.st_ctim, attributes.ctime());
  }

  private static void fill(Timespec timespec, Timestamp time) {
    timespec.tv_sec.set(time.seconds());
    timespec.tv_nsec.set(time.nanos());
  }

  static void fill(Pointer memory, FileSystemStatus status) {
    Statvfs statvfs = Statvfs.of(memory);
    statvfs.f_bsize.set(status.blockSize());
    statvfs.f_frsize.set(status.blockSize());
    statvfs.f_blocks.set(status.blocks());
    statvfs.f_bfree.set(status.freeBlocks());
    statvfs.f_bavail.set(status.availableBlocks());
    statvfs.f_files.set(status.files());
    statvfs.f_ffree.set(status.freeFiles());
    statvfs.f_favail.set(status.freeFiles());
    statvfs.f_namemax.set(status.nameLengthMax());
  }
}
