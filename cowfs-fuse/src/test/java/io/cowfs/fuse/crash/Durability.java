package io.cowfs.fuse.crash;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * What a host has promised to keep, and what it may lose. Of content that was not synced, any part
 * may survive, in units of 512 bytes; names come to the disk in their order. Not thread-safe.
 */
final class Durability {
  private static final int TEAR_BYTES = 512;

  private final HostImage durable = new HostImage();
  private List<HostEvent> pending = new ArrayList<>();

  boolean isPending() {
    return !pending.isEmpty();
  }

  /** A synced file has its content, a synced directory its names. */
  void add(HostEvent event) {
    if (event instanceof HostEvent.SyncAll) {
      everything();
    } else if (event instanceof HostEvent.Sync sync) {
      List<HostEvent> left = new ArrayList<>();
      for (HostEvent waiting : pending) {
        if (concerns(waiting, sync.inode())) {
          durable.apply(waiting);
        } else {
          left.add(waiting);
        }
      }
      pending = left;
    } else {
      pending.add(event);
    }
  }

  /** All that was asked for has come to the disk. */
  void everything() {
    pending.forEach(durable::apply);
    pending.clear();
  }

  private static boolean concerns(HostEvent event, long inode) {
    if (event instanceof HostEvent.OfContent content) {
      return content.inode() == inode;
    }
    return event instanceof HostEvent.OfNames names && names.directory() == inode;
  }

  /** One of the states in which a crash now may leave the disk. */
  HostImage afterCrash(Random random) {
    HostImage image = durable.copy();
    double survives = random.nextInt(5) / 4.0;
    long names = pending.stream().filter(HostEvent.OfNames.class::isInstance).count();
    long namesLeft = random.nextLong(names + 1);
    for (HostEvent event : pending) {
      if (event instanceof HostEvent.OfNames) {
        if (namesLeft-- > 0) {
          image.apply(event);
        }
      } else if (event instanceof HostEvent.Write write && random.nextInt(4) == 0) {
        tear(write, image, random);
      } else if (random.nextDouble() < survives) {
        image.apply(event);
      }
    }
    return image;
  }

  private static void tear(HostEvent.Write write, HostImage image, Random random) {
    byte[] bytes = write.bytes();
    for (int at = 0; at < bytes.length; at += TEAR_BYTES) {
      if (random.nextBoolean()) {
        byte[] unit = Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + TEAR_BYTES));
        image.apply(new HostEvent.Write(write.inode(), write.offset() + at, unit));
      }
    }
  }
}
