package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/**
 * PostgreSQL with its data directory on a mounted pool, as its own user. Server and daemon are
 * killed together while pgbench runs; after the recovery every transaction that a client was told
 * of is there, the books of the bank balance, and no index contradicts its table.
 */
@EnabledIf("io.cowfs.tools.e2e.Requirements#rootFuse")
final class PostgresMountTest {
  private static final int KILLS = 3;
  private static final int SOAK_KILLS = 100;
  private static final int LOAD_MS_MIN = 1000;
  private static final int LOAD_MS_MAX = 3000;

  /** Each transaction of pgbench adds the same amount to one row of each table. */
  private static final String BALANCES =
      """
      select (select sum(abalance) from pgbench_accounts) = s
         and (select sum(tbalance) from pgbench_tellers) = s
         and (select sum(bbalance) from pgbench_branches) = s
        from (select coalesce(sum(delta), 0) s from pgbench_history) h\
      """;

  @TempDir private Path directory;
  private MountedPool mounted;
  private Path programs;
  private Path data;
  private Path work;

  @BeforeEach
  void mountForEveryUser() throws IOException {
    mounted = MountedPool.create(directory);
    programs = programs();
    // Temporary directories are for their owner alone.
    Program.succeed(directory, "chmod", "711", directory.toString());
    data = mounted.path("data");
    work = directory.resolve("work");
    for (Path path : List.of(data, work)) {
      Files.createDirectory(path);
      Program.succeed(directory, "chown", "postgres:postgres", path.toString());
    }
  }

  @AfterEach
  void unmount() throws IOException {
    try {
      killServer();
    } finally {
      mounted.close();
    }
  }

  @Test
  void acknowledgedTransactionsSurviveKillsOfServerAndDaemon() throws Exception {
    long seed = Long.getLong("cowfs.seed", System.nanoTime());
    System.out.println("PostgresMountTest: seed " + seed);
    Random random = new Random(seed);
    succeed("initdb", "--data-checksums", "--auth=trust", "--no-instructions", "-D", "" + data);
    startServer();
    succeed("pgbench", "--initialize", "--quiet", "--scale=5");
    int kills = Boolean.getBoolean("cowfs.soak") ? SOAK_KILLS : KILLS;
    long acknowledged = 0;
    for (int kill = 0; kill < kills; kill++) {
      acknowledged += killUnderLoad(random);
      mounted.mount();
      startServer();
      String where = "after kill " + (kill + 1) + ", seed " + seed;
      assertEquals("t", query(BALANCES), where);
      long found = Long.parseLong(query("select count(*) from pgbench_history"));
      assertTrue(found >= acknowledged, found + " of " + acknowledged + " " + where);
    }
    assertTrue(acknowledged > 0, "pgbench did nothing");
    succeed("pg_amcheck", "--install-missing", "--heapallindexed", "--all");
    succeed("pg_ctl", "stop", "--wait", "--mode=fast", "-D", "" + data);
    mounted.unmount();
    mounted.succeed("check", mounted.pool().toString());
    mounted.mount();
    succeed("pg_checksums", "--check", "-D", "" + data);
  }

  /** Returns how many transactions the clients were told of. */
  private long killUnderLoad(Random random) throws Exception {
    Path log = Files.createTempDirectory(work, "log");
    Program.succeed(directory, "chown", "postgres:postgres", log.toString());
    Process load =
        Program.start(
            log,
            asPostgres("pgbench", "--client=4", "--jobs=2", "--time=60", "--no-vacuum", "--log"),
            ProcessBuilder.Redirect.DISCARD,
            ProcessBuilder.Redirect.DISCARD);
    MountedPool.pause(LOAD_MS_MIN + random.nextInt(LOAD_MS_MAX - LOAD_MS_MIN));
    if (random.nextBoolean()) {
      killServer();
      mounted.killDaemon();
    } else {
      mounted.killDaemon();
      killServer();
    }
    load.waitFor();
    Program.succeed(directory, "umount", "-l", mounted.root().toString());
    try (Stream<Path> files = Files.list(log)) {
      long lines = 0;
      for (Path file : (Iterable<Path>) files::iterator) {
        lines += Files.readAllLines(file).size();
      }
      return lines;
    }
  }

  private void startServer() throws IOException {
    awaitEndOfServerBefore();
    Path log = work.resolve("server.log");
    try {
      succeed(
          "pg_ctl",
          "start",
          "--wait",
          "-D",
          data.toString(),
          "-l",
          log.toString(),
          "-o",
          "-c listen_addresses='' -c unix_socket_directories='" + work + "'");
    } catch (AssertionError failure) {
      List<String> lines = Files.readAllLines(log);
      List<String> last = lines.subList(Math.max(0, lines.size() - 30), lines.size());
      throw new AssertionError(String.join("\n", last), failure);
    }
  }

  /** One that was killed counts as running until its parent, or init, has taken note of its end. */
  private void awaitEndOfServerBefore() throws IOException {
    Path lock = data.resolve("postmaster.pid");
    if (Files.exists(lock)) {
      Path process = Path.of("/proc", Files.readAllLines(lock).get(0));
      for (int i = 0; i < 600 && Files.exists(process); i++) {
        MountedPool.pause(50);
      }
    }
  }

  /** SIGKILL to all processes of the server. */
  private void killServer() {
    List<ProcessHandle> processes = ProcessHandle.allProcesses().filter(this::isOfServer).toList();
    List<ProcessHandle> all =
        processes.stream().flatMap(p -> Stream.concat(Stream.of(p), p.descendants())).toList();
    all.forEach(ProcessHandle::destroyForcibly);
    all.forEach(process -> process.onExit().join());
  }

  private boolean isOfServer(ProcessHandle process) {
    Optional<String[]> arguments = process.info().arguments();
    return arguments.isPresent()
        && process.info().command().orElse("").endsWith("/postgres")
        && List.of(arguments.get()).contains(data.toString());
  }

  private String query(String sql) throws IOException {
    return succeed("psql", "--no-align", "--tuples-only", "--command", sql, "postgres").strip();
  }

  private String succeed(String program, String... arguments) throws IOException {
    String[] command = new String[arguments.length + 1];
    command[0] = program;
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    return Program.run(work, asPostgres(command)).expectExit(0).output();
  }

  private List<String> asPostgres(String... command) {
    String[] all = new String[command.length + 6];
    String[] user = {
      "setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "env", "PGHOST=" + work
    };
    System.arraycopy(user, 0, all, 0, user.length);
    all[user.length] = programs.resolve(command[0]).toString();
    System.arraycopy(command, 1, all, user.length + 1, command.length - 1);
    return List.of(all);
  }

  /** Debian keeps the server's programs in a directory for each version. */
  private static Path programs() throws IOException {
    try (Stream<Path> versions = Files.list(Path.of("/usr/lib/postgresql"))) {
      return versions
          .map(version -> version.resolve("bin"))
          .filter(bin -> Files.isExecutable(bin.resolve("initdb")))
          .max(Path::compareTo)
          .orElseThrow();
    }
  }
}
