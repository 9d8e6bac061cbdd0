package io.cowfs.tools.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs that people use do on a mounted pool what they do elsewhere. */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
class ProgramsMountTest {
  private static final Path ANYWHERE = Path.of("/");

  @TempDir private Path directory;
  private MountedPool mounted;

  @BeforeEach
  void mount() throws IOException {
    mounted = MountedPool.create(directory, mountOptions());
  }

  /** How it is mounted; another transport's suite says something else. */
  String[] mountOptions() {
    return new String[0];
  }

  @AfterEach
  void unmount() throws IOException {
    mounted.close();
  }

  @Test
  void anUnpackedSourceTreeIsTheSame() throws IOException {
    Path source = directory.resolve("source");
    Trees.make(source, 1, 1500);
    Program.shell(directory, "tar --format=posix -C source -czf source.tar.gz .");
    Path unpacked = Files.createDirectory(mounted.path("unpacked"));
    Program.succeed(unpacked, "tar", "-xzpf", directory.resolve("source.tar.gz").toString());

    List<String> expected = Trees.listing(source);
    Trees.assertSame(expected, Trees.listing(unpacked));
    mounted.remount();
    Trees.assertSame(expected, Trees.listing(unpacked));

    Program.succeed(ANYWHERE, "cp", "-a", unpacked.toString(), mounted.path("copy").toString());
    Program.succeed(ANYWHERE, "rm", "-rf", unpacked.toString());
    Trees.assertSame(expected, Trees.listing(mounted.path("copy")));
    Program.succeed(ANYWHERE, "rm", "-rf", mounted.path("copy").toString());
    assertEquals("", Program.succeed(ANYWHERE, "ls", "-A", mounted.root().toString()));
  }

  @Test
  void gitClonesCommitsAndChecks() throws IOException {
    Path origin = directory.resolve("origin");
    Trees.make(origin, 2, 400);
    Program.shell(origin, "git init -q -b main; git add .; git commit -q -m first");
    Path clone = mounted.path("clone");
    Program.succeed(ANYWHERE, "git", "clone", "-q", "--no-local", "" + origin, "" + clone);
    assertEquals("", Program.succeed(clone, "git", "status", "--porcelain"));

    Program.shell(
        clone,
        "for i in 1 2 3 4 5; do date > note; echo $i >> note; git add note; git commit -q -m $i;"
            + " done");
    Program.shell(clone, "git checkout -q -b other HEAD~3; git mv note renamed; git commit -qam m");
    Program.shell(clone, "git checkout -q main; git merge -q -m merged other; git gc -q");
    mounted.remount();
    Program.succeed(clone, "git", "fsck", "--full", "--strict");
    assertEquals("", Program.succeed(clone, "git", "status", "--porcelain"));
    Program.succeed(clone, "git", "push", "-q", "origin", "main:pushed");
    assertEquals(
        Program.succeed(clone, "git", "rev-parse", "main"),
        Program.succeed(origin, "git", "rev-parse", "pushed"));
  }

  /**
   * The project's parent is that of cowfs itself: so it needs no plugin and no dependency that
   * building cowfs has not already brought into the local repository.
   */
  @Test
  void mavenBuildsAndTestsAProject() throws IOException {
    Path project = Files.createDirectory(mounted.path("project"));
    Program.succeed(ANYWHERE, "cp", "-r", Checkout.path(".mvn").toString(), project.toString());
    String parent = Files.readString(Checkout.path("pom.xml"));
    Files.writeString(
        project.resolve("pom.xml"),
        parent.replaceFirst(
            "(?s)<modules>.*</modules>", "<modules><module>greeting</module></modules>"));
    writeGreetingModule(project.resolve("greeting"));

    List<String> command =
        new ArrayList<>(List.of("mvn", "-q", "-B", "-o", "-f", project.toString(), "package"));
    String repository = System.getProperty("localRepository");
    if (repository != null) {
      command.add("-Dmaven.repo.local=" + repository);
    }
    Program.run(project, command).expectExit(0);
    Path jar = project.resolve("greeting/target/greeting-0.1.0-SNAPSHOT.jar");
    assertEquals(
        "Hello from the pool\n",
        Program.succeed(project, "java", "-cp", jar.toString(), "greeting.Greeting"));
  }

  private static void writeGreetingModule(Path module) throws IOException {
    Path main = Files.createDirectories(module.resolve("src/main/java/greeting"));
    Path test = Files.createDirectories(module.resolve("src/test/java/greeting"));
    Files.writeString(
        module.resolve("pom.xml"),
        """
        <project xmlns="http://maven.apache.org/POM/4.0.0">
          <modelVersion>4.0.0</modelVersion>
          <parent>
            <groupId>io.cowfs</groupId>
            <artifactId>cowfs</artifactId>
            <version>0.1.0-SNAPSHOT</version>
          </parent>
          <artifactId>greeting</artifactId>
          <dependencies>
            <dependency>
              <groupId>org.junit.jupiter</groupId>
              <artifactId>junit-jupiter</artifactId>
            </dependency>
          </dependencies>
        </project>
        """);
    Files.writeString(
        main.resolve("Greeting.java"),
        """
        package greeting;

        public final class Greeting {
          private Greeting() {}

          public static String text() {
            return "Hello from the pool";
          }

          public static void main(String[] arguments) {
            System.out.println(text());
          }
        }
        """);
    Files.writeString(
        test.resolve("GreetingTest.java"),
        """
        package greeting;

        import static org.junit.jupiter.api.Assertions.assertEquals;

        import org.junit.jupiter.api.Test;

        final class GreetingTest {
          @Test
          void greets() {
            assertEquals("Hello from the pool", Greeting.text());
          }
        }
        """);
  }

  @ParameterizedTest
  @ValueSource(strings = {"DELETE", "WAL"})
  void sqliteKeepsItsDatabaseWhole(String journalMode) throws IOException {
    Path file = mounted.path("rows.db");
    Program.python("inserts.py", "fill", file, journalMode);
    Program.python("inserts.py", "check", file, journalMode);
    mounted.remount();
    Program.python("inserts.py", "check", file, journalMode);
    assertEquals("ok\n", Program.succeed(ANYWHERE, "sqlite3", "" + file, "PRAGMA integrity_check"));
  }

  @Test
  void rsyncThereAndBackKeepsEverything() throws IOException {
    Path source = directory.resolve("source");
    Trees.make(source, 3, 500);
    Program.shell(
        source,
        """
        for i in $(seq 1 50); do
          echo $i > "with xattrs $i"
          setfattr -n user.comment -v "comment of $i" -- "with xattrs $i"
        done
        setfattr -n user.large -v "$(head -c 3000 /dev/zero | tr '\\0' x)" empty
        ln -s /nowhere/at/all dangling; ln -s "$(printf 'x%.0s' $(seq 1 300))" long
        mkfifo fifo; chmod 0 fifo; mkdir sticky; chmod 1777 sticky
        truncate -s 5M sparse; printf end >> sparse
        touch -h -d '1971-02-03 04:05:06.789012345' dangling fifo sparse
        touch -d '2038-02-03 04:05:06.000000001' sticky
        """);
    if (Requirements.root()) {
      Program.shell(
          source,
          """
          mknod character c 1 3; mknod block b 7 250; chown 1234:56789 character sparse
          install -m 6755 /bin/true privileged
          chown -h 4242:4242 dangling; setfattr -n trusted.secret -v s sparse
          """);
    }
    Path there = mounted.path("there");
    Path back = directory.resolve("back");
    rsync(source, there);
    mounted.remount();
    rsync(there, back);

    List<String> expected = Trees.listing(source);
    Trees.assertSame(expected, Trees.listing(there));
    Trees.assertSame(expected, Trees.listing(back));
    assertEquals("", rsync(source, there, "-in", "--delete", "--checksum"));
  }

  /** To the nanosecond: by itself, rsync leaves times alone that are in the same second. */
  private static String rsync(Path from, Path to, String... options) throws IOException {
    List<String> command =
        new ArrayList<>(List.of("rsync", "-aHAX", "--modify-window=-1", from + "/", to + "/"));
    command.addAll(List.of(options));
    return Program.run(ANYWHERE, command).expectExit(0).output();
  }

  @Test
  void fioReadsBackWhatItWrote() throws IOException {
    List<List<String>> jobs =
        List.of(
            fio("sequential", "psync", "write", "128k", "0"),
            fio("small", "psync", "write", "3k", "0"),
            fio("random", "psync", "randwrite", "4k", "0"),
            fio("uneven", "psync", "randwrite", "1536", "0"),
            fio("mapped", "mmap", "randwrite", "4k", "0"),
            fio("direct", "libaio", "randwrite", "16k", "1"));
    for (List<String> job : jobs) {
      Program.run(ANYWHERE, job).expectExit(0);
    }
    mounted.remount();
    for (List<String> job : jobs) {
      List<String> verify = new ArrayList<>(job);
      verify.add("--verify_only");
      Program.run(ANYWHERE, verify).expectExit(0);
    }
  }

  private List<String> fio(
      String name, String engine, String pattern, String blockSize, String direct) {
    return List.of(
        "fio",
        "--name=" + name,
        "--directory=" + mounted.root(),
        "--aux-path=" + directory,
        "--ioengine=" + engine,
        "--rw=" + pattern,
        "--bs=" + blockSize,
        "--direct=" + direct,
        "--iodepth=4",
        "--size=" + (blockSize.endsWith("k") ? "24M" : "12M"),
        "--numjobs=2",
        "--fallocate=none",
        "--fsync=500",
        "--verify=crc32c",
        "--verify_fatal=1",
        "--verify_state_save=0",
        "--randseed=7");
  }

  @Test
  void largeCompressibleTextSurvivesASortInPlace() throws IOException {
    Path text = mounted.path("text");
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 200_000; i++) {
      lines.append("line ").append((i * 7919L) % 200_003).append('\n');
    }
    Files.write(text, lines.toString().getBytes(UTF_8));
    Program.succeed(ANYWHERE, "sort", "-n", "-k2", "-o", text.toString(), text.toString());
    Program.succeed(ANYWHERE, "sort", "-c", "-n", "-k2", text.toString());
    assertEquals(lines.length(), Files.size(text));
    assertTrue(Program.succeed(ANYWHERE, "df", "-P", "" + mounted.root()).contains("%"));
  }
}
