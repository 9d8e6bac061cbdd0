package io.cowfs.core.pool;

import io.cowfs.core.dataset.PropertyValue;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** skeleton */
public final class PoolAdministration {
  public enum Mode { EXECUTE, DRY_RUN }
  public enum Scope { ONE, WITH_DESCENDANTS }
  public enum OldState { KEEP, DISCARD }

  /** A new, empty dataset with local properties. */
  public void createDataset(String name, Map<String, String> properties) throws IOException { throw new UnsupportedOperationException(); }
  /** Keeps the state of a dataset, or of it and all below it at one moment. */
  public void snapshot(String dataset, String name, Scope scope) throws IOException { throw new UnsupportedOperationException(); }
  /** A new dataset that begins as a snapshot. */
  public void cloneSnapshot(String dataset, String snapshot, String newDataset, Map<String, String> properties) throws IOException { throw new UnsupportedOperationException(); }
  /** A checkpoint that is renamed becomes a snapshot. */
  public void renameSnapshot(String dataset, String from, String to) throws IOException { throw new UnsupportedOperationException(); }
  /** With all datasets below it; none of them may be mounted. */
  public void renameDataset(String from, String to) throws IOException { throw new UnsupportedOperationException(); }
  /** @param selection a name, a range a%c, a pattern, or several with commas between them */
  public Destruction destroySnapshots(String dataset, String selection, Mode mode) throws IOException { throw new UnsupportedOperationException(); }
  /** The dataset with its checkpoints; WITH_DESCENDANTS also its snapshots and all datasets below it. */
  public Destruction destroyDataset(String dataset, Scope scope, Mode mode) throws IOException { throw new UnsupportedOperationException(); }
  public void hold(String dataset, String snapshot, String tag) throws IOException { throw new UnsupportedOperationException(); }
  public void release(String dataset, String snapshot, String tag) throws IOException { throw new UnsupportedOperationException(); }
  /** Tags with the time they were put on, by tag. */
  public Map<String, Instant> holds(String dataset, String snapshot) throws IOException { throw new UnsupportedOperationException(); }
  /** @param snapshot null for the dataset's own. All properties in force, by name. */
  public List<PropertyValue> properties(String dataset, String snapshot) throws IOException { throw new UnsupportedOperationException(); }
  public void setProperty(String dataset, String snapshot, String name, String value) throws IOException { throw new UnsupportedOperationException(); }
  /** Forgets the local value. */
  public void inheritProperty(String dataset, String snapshot, String name) throws IOException { throw new UnsupportedOperationException(); }
  /** @return the name of the snapshot that keeps the state from before; empty with DISCARD */
  public String rollback(String dataset, String snapshot, OldState oldState) throws IOException { throw new UnsupportedOperationException(); }
  /** The newest checkpoint or snapshot that is at least so old. */
  public String snapshotOfAge(String dataset, Duration age) throws IOException { throw new UnsupportedOperationException(); }
  /** Brings one path of a dataset back. @return how many files and directories were changed, added and removed */
  public Restoration restorePath(String dataset, String snapshot, byte[] path) throws IOException { throw new UnsupportedOperationException(); }
  public SpaceReport space(String dataset) throws IOException { throw new UnsupportedOperationException(); }
  /** Carries the schedules of all datasets out. */
  public Pruning prune(Mode mode) throws IOException { throw new UnsupportedOperationException(); }
  public record Pruning(List<String> taken, List<String> destroyed) {}
  public record Restoration(long changed, long added, long removed) {}
}
