package io.cowfs.core.block;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.device.FaultInjectingDevice;
import io.cowfs.core.device.FaultInjectingDevice.Fault;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import io.cowfs.core.device.MemberState;
import io.cowfs.core.device.MirrorDevice;
import io.cowfs.core.device.MirrorMember;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is read of a mirror with a bad member, and what becomes of that. */
@Timeout(60)
class GoodCopyTest {
  private static final long CAPACITY = 256L << 20;
  private static final int SECTOR_BYTES = 4096;

  private final List<FaultInjectingDevice> devices =
      List.of(new FaultInjectingDevice(CAPACITY), new FaultInjectingDevice(CAPACITY));
  private final List<MirrorMember> members = members(MemberState.ONLINE, MemberState.ONLINE);
  private final List<BlockStore> opened = new ArrayList<>();
  private final BlockStore store = open(Repair.IN_PLACE, members);

  private final Random random = new Random(1);

  private List<MirrorMember> members(MemberState... states) {
    List<MirrorMember> made = new ArrayList<>();
    for (int i = 0; i < states.length; i++) {
      made.add(MirrorMember.of(i, new UUID(0, i), "member " + i, devices.get(i), states[i]));
    }
    return made;
  }

  private BlockStore open(Repair repair, List<MirrorMember> of) {
    MirrorDevice mirror = new MirrorDevice("mirror", of, Runnable::run);
    BlockStore made =
        new BlockStore(
            mirror,
            repair,
            Allocator.create(mirror),
            new CacheLimits(0, 0),
            BlockStore.writingThreads());
    opened.add(made);
    return made;
  }

  @AfterEach
  void close() {
    opened.forEach(BlockStore::close);
  }

  private byte[] content(int bytes, boolean compressible) {
    byte[] content = new byte[bytes];
    random.nextBytes(content);
    if (compressible) {
      Arrays.fill(content, 0, bytes / 2, (byte) 7);
    }
    return content;
  }

  private DataExtent write(byte[] content, String compression) throws IOException {
    List<DataExtent> extents = new ArrayList<>();
    try (BlockWriter writer = store.openWriter(3)) {
      ByteBuffer buffer = ByteBuffer.allocateDirect((content.length + 4095) & -SECTOR_BYTES);
      buffer.put(0, content);
      writer.writeExtent(
          new ByteBuffer[] {buffer},
          content.length,
          new ExtentPolicy(CompressionSetting.parse(compression), 1),
          extents::add);
      writer.flush();
    }
    assertEquals(1, extents.size());
    return extents.get(0);
  }

  private BlockPointer writeBlock(byte[] content) throws IOException {
    try (BlockWriter writer = store.openWriter(3)) {
      BlockPointer pointer = writer.writeBlock(content);
      writer.flush();
      return pointer;
    }
  }

  private static byte[] read(BlockStore from, DataExtent extent) throws IOException {
    if (!extent.isPlain()) {
      return from.readCompressed(extent);
    }
    ByteBuffer buffer = ByteBuffer.allocateDirect(extent.sectors() * SECTOR_BYTES);
    from.readPlain(List.of(extent), buffer);
    byte[] content = new byte[extent.logicalBytes()];
    buffer.get(0, content);
    return content;
  }

  private byte[] stored(int member, DataExtent extent) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(extent.sectors() * SECTOR_BYTES);
    devices.get(member).read(buffer, extent.sector() * SECTOR_BYTES);
    return buffer.array();
  }

  private void spoil(int member, long sector, int sectors) throws IOException {
    byte[] garbage = content(sectors * SECTOR_BYTES, false);
    devices.get(member).write(ByteBuffer.wrap(garbage), sector * SECTOR_BYTES);
  }

  /** Whichever of the members is the bad one, and wherever the data lies. */
  @Test
  void whateverOneMemberHasOfThePlainExtentsItIsReadAndRepaired() throws IOException {
    for (int round = 0; round < 40; round++) {
      byte[] content = content(1 + random.nextInt(131_072), false);
      DataExtent extent = write(content, "none");
      int bad = round % 2;
      byte[] whole = stored(1 - bad, extent);
      int first = random.nextInt(extent.sectors());
      spoil(bad, extent.sector() + first, 1 + random.nextInt(extent.sectors() - first));
      // Reads that start in either area are served by either member.
      store.dropCaches();
      assertArrayEquals(content, read(store, extent));
      MediumReader medium = store.openMediumReader();
      medium.verify(List.of(extent), (damaged, sectors, what) -> throwDamage(what));
      medium.close();
      assertArrayEquals(whole, stored(bad, extent));
    }
    assertTrue(members.get(0).checksumErrors() > 0);
    assertTrue(members.get(1).checksumErrors() > 0);
  }

  private static void throwDamage(String what) throws IOException {
    throw new IOException(what);
  }

  @Test
  void aReadAloneRepairsWhatItMeets() throws IOException {
    byte[] content = content(100_000, false);
    DataExtent extent = write(content, "none");
    byte[] whole = stored(0, extent);
    // The one that is read first.
    spoil(memberReadFirst(extent.sector()), extent.sector() + 3, 2);
    assertArrayEquals(content, read(store, extent));
    for (int member = 0; member < 2; member++) {
      assertArrayEquals(whole, stored(member, extent));
    }
    assertEquals(2, members.get(0).checksumErrors() + members.get(1).checksumErrors());
  }

  private int memberReadFirst(long sector) throws IOException {
    long before = devices.get(0).count(Operation.READ);
    new GoodCopy(new MirrorDevice("again", members, Runnable::run), Repair.NEVER)
        .readFirst(ByteBuffer.allocate(SECTOR_BYTES), sector);
    return devices.get(0).count(Operation.READ) > before ? 0 : 1;
  }

  @Test
  void blocksAndCompressedExtentsAreReadAndRepaired() throws IOException {
    for (int bad = 0; bad < 2; bad++) {
      byte[] content = content(60_000, true);
      DataExtent extent = write(content, "lz4");
      byte[] node = content(16_000, false);
      BlockPointer pointer = writeBlock(node);
      byte[] whole = stored(1 - bad, extent);
      spoil(bad, extent.sector(), extent.sectors());
      spoil(bad, pointer.sector(), pointer.sectors());
      store.dropCaches();
      assertArrayEquals(content, read(store, extent));
      assertArrayEquals(node, store.readBlock(pointer));
      MediumReader medium = store.openMediumReader();
      assertArrayEquals(node, medium.readBlock(pointer));
      medium.verify(List.of(extent), (damaged, sectors, what) -> throwDamage(what));
      medium.close();
      assertArrayEquals(whole, stored(bad, extent));
      // What the other one has is not needed any more.
      spoil(1 - bad, extent.sector(), extent.sectors());
      spoil(1 - bad, pointer.sector(), pointer.sectors());
      store.dropCaches();
      assertArrayEquals(content, read(store, extent));
      assertArrayEquals(node, store.readBlock(pointer));
    }
  }

  /** Each member has something that the other has not. */
  @Test
  void sectorsThatAreBadInDifferentMembersAreTakenFromTheOther() throws IOException {
    byte[] content = content(131_072, false);
    DataExtent extent = write(content, "none");
    spoil(0, extent.sector(), 5);
    spoil(1, extent.sector() + 5, extent.sectors() - 5);
    assertArrayEquals(content, read(store, extent));
  }

  @Test
  void anErrorOfOneMemberIsNoErrorOfTheRead() throws IOException {
    byte[] content = content(131_072, false);
    DataExtent extent = write(content, "none");
    for (int member = 0; member < 2; member++) {
      devices.get(member).failFrom(Operation.READ, 1, Fault.IO_ERROR);
      assertArrayEquals(content, read(store, extent));
      devices.get(member).failNoMore(Operation.READ);
    }
    assertTrue(members.get(0).readErrors() + members.get(1).readErrors() > 0);
    assertEquals(0, members.get(0).checksumErrors() + members.get(1).checksumErrors());
  }

  @Test
  void whatIsBadEverywhereIsAnError() throws IOException {
    DataExtent extent = write(content(131_072, false), "none");
    spoil(0, extent.sector() + 4, 1);
    spoil(1, extent.sector() + 4, 1);
    assertThrows(CorruptBlockException.class, () -> read(store, extent));
    List<String> found = new ArrayList<>();
    MediumReader medium = store.openMediumReader();
    medium.verify(List.of(extent), (damaged, sectors, what) -> found.add(sectors + " " + what));
    medium.close();
    assertEquals(
        List.of("{4} mirror: sector " + (extent.sector() + 4) + " does not match its checksum"),
        found);
  }

  @Test
  void aPoolThatIsNotToBeChangedIsNotRepaired() throws IOException {
    byte[] content = content(131_072, false);
    DataExtent extent = write(content, "none");
    int bad = memberReadFirst(extent.sector());
    spoil(bad, extent.sector(), extent.sectors());
    byte[] spoilt = stored(bad, extent);
    BlockStore reading = open(Repair.NEVER, members);
    assertArrayEquals(content, read(reading, extent));
    MediumReader medium = reading.openMediumReader();
    medium.verify(List.of(extent), (damaged, sectors, what) -> throwDamage(what));
    medium.close();
    assertArrayEquals(spoilt, stored(bad, extent));
  }

  /**
   * It may have what was there before the space was used again, and somebody may ask for that who
   * should not.
   */
  @Test
  void whatOnlyAMemberThatCatchesUpHasIsReadAndNotWrittenOverTheOthers() throws IOException {
    byte[] content = content(131_072, false);
    DataExtent extent = write(content, "none");
    spoil(0, extent.sector(), extent.sectors());
    byte[] spoilt = stored(0, extent);
    BlockStore catchingUp =
        open(Repair.IN_PLACE, members(MemberState.ONLINE, MemberState.RESILVERING));
    assertArrayEquals(content, read(catchingUp, extent));
    assertArrayEquals(spoilt, stored(0, extent));
  }

  /** That is how it catches up. */
  @Test
  void whatAMemberThatCatchesUpLacksIsWrittenByAScrubAndCountsAsNoError() throws IOException {
    byte[] content = content(131_072, false);
    DataExtent extent = write(content, "none");
    byte[] whole = stored(0, extent);
    spoil(1, extent.sector(), extent.sectors());
    List<MirrorMember> catching = members(MemberState.ONLINE, MemberState.RESILVERING);
    BlockStore catchingUp = open(Repair.IN_PLACE, catching);
    MediumReader medium = catchingUp.openMediumReader();
    medium.verify(List.of(extent), (damaged, sectors, what) -> throwDamage(what));
    medium.close();
    assertArrayEquals(whole, stored(1, extent));
    assertEquals(0, catching.get(1).checksumErrors());
  }
}
