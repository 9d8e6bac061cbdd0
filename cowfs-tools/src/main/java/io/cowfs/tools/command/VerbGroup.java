package io.cowfs.tools.command;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Verbs that belong together in the help.
 *
 * @param verbs what makes the command of each verb, in the order of the help
 */
record VerbGroup(String heading, Map<String, Supplier<Object>> verbs) {
  /** All groups, in the order of the help. */
  static List<VerbGroup> all(CommandRunner runner) {
    return List.of(
        mounting(runner), snapshots(runner), datasets(runner), devices(runner), state(runner));
  }

  private static VerbGroup mounting(CommandRunner runner) {
    Map<String, Supplier<Object>> verbs = new LinkedHashMap<>();
    verbs.put("init", () -> new InitCommand(runner));
    verbs.put("mount", () -> new MountCommand(runner));
    verbs.put("umount", () -> new UmountCommand(runner));
    verbs.put(MountHelperCommand.NAME, () -> new MountHelperCommand(runner));
    verbs.put(RemountCommand.NAME, () -> new RemountCommand(runner));
    verbs.put(MountsCommand.NAME, () -> new MountsCommand(runner));
    verbs.put(MountPointsCommand.NAME, () -> new MountPointsCommand(runner));
    return new VerbGroup("Pools and mounts", verbs);
  }

  private static VerbGroup snapshots(CommandRunner runner) {
    Map<String, Supplier<Object>> verbs = new LinkedHashMap<>();
    verbs.put("snapshot", () -> new SnapshotCommand(runner));
    verbs.put("list", () -> new ListCommand(runner));
    verbs.put("diff", () -> new DiffCommand(runner));
    verbs.put("rollback", () -> new RollbackCommand(runner));
    verbs.put("undo", () -> new UndoCommand(runner));
    verbs.put("hold", () -> new HoldCommand(runner));
    verbs.put("release", () -> new ReleaseCommand(runner));
    verbs.put("holds", () -> new HoldsCommand(runner));
    verbs.put("prune", () -> new PruneCommand(runner));
    return new VerbGroup("Snapshots", verbs);
  }

  private static VerbGroup datasets(CommandRunner runner) {
    Map<String, Supplier<Object>> verbs = new LinkedHashMap<>();
    verbs.put("create", () -> new CreateCommand(runner));
    verbs.put("clone", () -> new CloneCommand(runner));
    verbs.put("rename", () -> new RenameCommand(runner));
    verbs.put("destroy", () -> new DestroyCommand(runner));
    verbs.put("get", () -> new GetCommand(runner));
    verbs.put("set", () -> new SetCommand(runner));
    verbs.put("inherit", () -> new InheritCommand(runner));
    return new VerbGroup("Datasets and properties", verbs);
  }

  private static VerbGroup devices(CommandRunner runner) {
    Map<String, Supplier<Object>> verbs = new LinkedHashMap<>();
    verbs.put("attach", () -> new AttachCommand(runner));
    verbs.put("detach", () -> new DetachCommand(runner));
    verbs.put("replace", () -> new ReplaceCommand(runner));
    verbs.put("offline", () -> new OfflineCommand(runner));
    verbs.put("online", () -> new OnlineCommand(runner));
    return new VerbGroup("Devices of a mirror", verbs);
  }

  private static VerbGroup state(CommandRunner runner) {
    Map<String, Supplier<Object>> verbs = new LinkedHashMap<>();
    verbs.put("status", () -> new StatusCommand(runner));
    verbs.put("space", () -> new SpaceCommand(runner));
    verbs.put("frag", () -> new FragCommand(runner));
    verbs.put("defrag", () -> new DefragCommand(runner));
    verbs.put("check", () -> new CheckCommand(runner));
    verbs.put("scrub", () -> new ScrubCommand(runner));
    verbs.put("rewind", () -> new RewindCommand(runner));
    verbs.put("sync", () -> new SyncCommand(runner));
    return new VerbGroup("State and space", verbs);
  }
}
