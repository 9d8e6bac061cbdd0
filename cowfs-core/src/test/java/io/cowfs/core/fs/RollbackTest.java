package io.cowfs.core.fs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.TreeNodes;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.CacheInvalidator;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.core.vfs.RenameMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** A front end hears of what a rollback changed, and of nothing else. */
class RollbackTest {
  private static final Set<OpenFlags> READ_WRITE = EnumSet.of(OpenFlags.READ, OpenFlags.WRITE);

  @TempDir Path directory;
  private TestPool pool;
  private FileSystem fs;
  private final Listener heard = new Listener();

  /** A front end that writes to each file while it settles it. */
  private final class Listener implements CacheInvalidator {
    final List<String> words = new ArrayList<>();
    boolean settles = true;
    FileHandle writesTo;

    @Override
    public void inodeChanged(long inode) {
      words.add("inode " + inode);
    }

    @Override
    public void attributesChanged(long inode) {
      words.add("attributes " + inode);
    }

    @Override
    public void entryChanged(long parent, byte[] name) {
      words.add("entry " + parent + " " + new String(name, UTF_8));
    }

    @Override
    public boolean settle(long inode) {
      words.add("settle " + inode);
      try {
        write(writesTo, 0, "thrown away");
        if (settles) {
          fs.settled(inode);
          write(writesTo, 1, "kept");
        }
      } catch (FsException e) {
        throw new AssertionError(e);
      }
      return settles;
    }
  }

  private abstract static class NamesOnly implements CacheInvalidator {
    @Override
    public void inodeChanged(long inode) {}

    @Override
    public void attributesChanged(long inode) {}

    @Override
    public boolean settle(long inode) {
      return true;
    }
  }

  @BeforeEach
  void create() throws IOException {
    pool =
        TestPool.create(
            directory.resolve("pool"), 64L << 20, CompressionSetting.NONE, TestPool.ON_DEMAND);
    fs = pool.fileSystem();
    fs.setCacheInvalidator(heard);
  }

  @AfterEach
  void close() throws IOException {
    pool.close();
  }

  private FileHandle create(String name) throws FsException {
    return fs.create(Caller.ROOT, FileSystem.ROOT_INODE, name.getBytes(UTF_8), 0644, Set.of())
        .handle();
  }

  private void write(FileHandle file, long offset, String text) throws FsException {
    fs.write(Caller.ROOT, file, offset, ByteBuffer.wrap(text.getBytes(UTF_8)), false);
  }

  private String read(FileHandle file) throws FsException {
    ByteBuffer content = ByteBuffer.allocate(100);
    fs.read(file, 0, 100, content);
    return new String(content.array(), 0, content.position(), UTF_8);
  }

  @Test
  void onlyWhatDiffersIsAnnounced() throws Exception {
    FileHandle changed = create("changed");
    FileHandle same = create("same");
    write(changed, 0, "before");
    write(same, 0, "same");
    pool.snapshot("s");
    heard.writesTo = changed;
    pool.rollback("s");
    assertEquals(List.of(), heard.words, "nothing differs");

    write(changed, 0, "after");
    FileHandle later = create("later");
    pool.rollback("s");
    assertEquals(
        List.of("entry 1 later", "inode 1", "inode " + later.inode(), "settle " + changed.inode()),
        heard.words);
    assertEquals("same", read(same));
    assertThrows(FsException.class, () -> read(later));
  }

  /** The front end may know that they are not there. */
  @Test
  void namesThatComeBackAreAnnounced() throws Exception {
    fs.release(create("again"));
    fs.release(create("renamed"));
    pool.snapshot("s");
    fs.unlink(FileSystem.ROOT_INODE, "again".getBytes(UTF_8));
    byte[] name = "renamed".getBytes(UTF_8);
    byte[] other = "other".getBytes(UTF_8);
    fs.rename(FileSystem.ROOT_INODE, name, FileSystem.ROOT_INODE, other, RenameMode.REPLACE);
    pool.rollback("s");
    assertTrue(heard.words.contains("entry 1 again"), heard.words::toString);
    assertTrue(heard.words.contains("entry 1 renamed"), heard.words::toString);
  }

  @Test
  void namesThatComeBackAreAnnouncedAlsoWhereTreesCannotBeCompared() throws Exception {
    fs.release(create("again"));
    pool.snapshot("s");
    fs.unlink(FileSystem.ROOT_INODE, "again".getBytes(UTF_8));
    InodeTable memory = new InodeTable(null, inode -> {});
    Rollback.tellOfAllNames(pool.tree("s"), memory, heard);
    assertEquals(List.of("entry 1 again"), heard.words);
  }

  @Test
  void filesAreSettledAlsoWhereOrphansOfTheRestoredTreeAreDamaged() throws Exception {
    fs.release(create("file"));
    pool.snapshot("clean");
    for (int i = 0; i < 1500; i++) {
      create("unnamed");
      fs.unlink(FileSystem.ROOT_INODE, "unnamed".getBytes(UTF_8));
    }
    pool.snapshot("s");
    BlockPointer orphans = TreeNodes.leavesOf(pool.tree("s")).get(0);
    pool.rollback("clean");
    for (int i = 0; i < orphans.places(); i++) {
      pool.device().flipBit(orphans.place(i) * BlockPointer.SECTOR_BYTES + 100, 3);
    }
    pool.reopen();
    fs = pool.fileSystem();
    fs.setCacheInvalidator(heard);
    FileHandle file =
        fs.open(fs.lookup(FileSystem.ROOT_INODE, "file".getBytes(UTF_8)).inode(), READ_WRITE);
    heard.writesTo = file;
    write(file, 0, "after the snapshot");
    pool.rollback("s");
    write(file, 0, "goes on");
    assertEquals("goes on", read(file));
  }

  @Test
  void whatIsDoneToAFileBeforeItIsSettledComesToNothing() throws Exception {
    FileHandle file = create("file");
    write(file, 0, "before");
    pool.snapshot("s");
    write(file, 0, "after, and longer");
    heard.writesTo = file;
    pool.rollback("s");
    assertEquals("bkepte", read(file));
    write(file, 0, "goes on");
    assertEquals("goes on", read(file));
  }

  @Test
  void aFileThatCannotBeSettledBecomesAnotherOne() throws Exception {
    FileHandle file = create("file");
    write(file, 0, "before");
    pool.snapshot("s");
    write(file, 0, "after");
    long generation = fs.getAttributes(file.inode()).generation();
    heard.writesTo = file;
    heard.settles = false;
    pool.rollback("s");
    assertNotEquals(generation, fs.getAttributes(file.inode()).generation());
    assertEquals(FsError.STALE, assertThrows(FsException.class, () -> read(file)).error());
    FileHandle again = fs.open(file.inode(), Set.of());
    assertEquals("before", read(again));
    write(again, 0, "changes count again");
    assertEquals("changes count again", read(again));
  }

  @Test
  void aFileThatWasOnlyReadKeepsItsPages() throws Exception {
    FileHandle file = create("file");
    write(file, 0, "content");
    pool.snapshot("s");
    assertEquals("content", read(file));
    pool.rollback("s");
    assertEquals(List.of("attributes " + file.inode()), heard.words);
  }

  @Test
  void whatIsDiscardedStaysReadableUntilTheFrontEndHasHeard() throws Exception {
    FileHandle file = create("file");
    pool.snapshot("s");
    create("later");
    pool.pool().sync();
    BlockPointer discarded = pool.rootOf("root");
    boolean[] wasAllocated = {false};
    fs.setCacheInvalidator(
        new NamesOnly() {
          @Override
          public void entryChanged(long parent, byte[] name) {
            // Long enough for what is freed to be used again.
            for (int commit = 0; commit < 8; commit++) {
              try {
                write(file, 0, "commit " + commit);
                pool.pool().sync();
                wasAllocated[0] = pool.isAllocated(discarded);
              } catch (FsException | IOException e) {
                throw new AssertionError(e);
              }
            }
          }
        });
    pool.pool().administration().rollbackAndDiscard("root", "s");
    assertTrue(wasAllocated[0], "it was given away while it was needed");
    for (int commit = 0; commit < 8; commit++) {
      write(file, 0, "again " + commit);
      pool.pool().sync();
    }
    assertFalse(pool.isAllocated(discarded), "it comes back in the end");
  }

  /** As a kernel that locks a directory for a request that waits for the pool. */
  @Test
  void whoIsToldMayWaitForThePool() throws Exception {
    pool.snapshot("s");
    create("later");
    List<String> taken = new ArrayList<>();
    fs.setCacheInvalidator(
        new NamesOnly() {
          @Override
          public void entryChanged(long parent, byte[] name) {
            CompletableFuture<Void> request = started(() -> pool.snapshot("t"), () -> {});
            taken.add(wasDoneMeanwhile(request, 20) ? "taken" : "hangs");
          }
        });
    pool.pool().administration().rollback("root", "s");
    assertEquals(List.of("taken"), taken);
  }

  private static CompletableFuture<Void> started(Executable request, Runnable then) {
    return CompletableFuture.runAsync(
        () -> {
          try {
            request.execute();
          } catch (Throwable e) {
            throw new AssertionError(e);
          }
          then.run();
        });
  }

  private static boolean wasDoneMeanwhile(CompletableFuture<Void> request, int seconds) {
    try {
      request.get(seconds, TimeUnit.SECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (InterruptedException | ExecutionException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void theNextRollbackWaitsUntilTheFrontEndHasHeardOfTheLast() throws Exception {
    checkWaitsForTheFrontEnd(() -> pool.pool().administration().rollback("root", "later"));
  }

  @Test
  void aPathIsRestoredWhenTheFrontEndHasHeardOfARollback() throws Exception {
    byte[] path = "later".getBytes(UTF_8);
    checkWaitsForTheFrontEnd(() -> pool.pool().administration().restorePath("root", "later", path));
  }

  /**
   * @param bringsBack the name {@code later}, while the front end hears that a rollback removed it
   */
  private void checkWaitsForTheFrontEnd(Executable bringsBack) throws Exception {
    pool.snapshot("s");
    create("later");
    List<String> events = Collections.synchronizedList(new ArrayList<>());
    List<CompletableFuture<Void>> next = new ArrayList<>();
    fs.setCacheInvalidator(
        new NamesOnly() {
          @Override
          public void entryChanged(long parent, byte[] name) {
            events.add("begins to hear");
            if (next.isEmpty()) {
              next.add(started(bringsBack, () -> events.add("the next is done")));
              wasDoneMeanwhile(next.get(0), 1);
            }
            events.add("has heard");
          }
        });
    pool.snapshot("later");
    pool.pool().administration().rollback("root", "s");
    next.get(0).join();
    assertEquals(
        List.of("begins to hear", "has heard", "begins to hear", "has heard", "the next is done"),
        events);
  }
}
