# Shared by the scripts: finding or installing what they need, and building. Sourced, never run;
# expects $root (the checkout) to be set before require_build is called.
# shellcheck shell=sh
# shellcheck disable=SC2034

# What every virtual machine of cowfs is started with. A class-data archive that does not fit is no reason
# to say anything.
java_flags="-Xshare:auto -Xlog:disable -Xlog:all=error:stderr"
# A command runs for a tenth of a second: one simple compiler, started at once. (G1, because only with it
# JDK 17 takes archived objects over; ArchiveRelocationMode=0 spares it to relocate the archive.)
client_flags="-XX:+IgnoreUnrecognizedVMOptions -XX:TieredStopAtLevel=1 -XX:+UseG1GC -Xmx128m -XX:-UsePerfData"
client_flags="$client_flags -XX:+UnlockDiagnosticVMOptions -XX:ArchiveRelocationMode=0"
# What the manifest says where the program runs from its jar.
opens="--add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED"

say() {
  printf 'cowfs: %s\n' "$*" >&2
}

die() {
  say "$@"
  exit 1
}

# install_missing PROGRAM=PACKAGE...: installs the packages whose programs are not there, or says which
# they are. A program may also be an absolute path.
install_missing() {
  missing=
  for pair; do
    command -v "${pair%%=*}" >/dev/null 2>&1 || [ -e "${pair%%=*}" ] || missing="$missing ${pair#*=}"
  done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    die "please install these Debian packages:$missing"
  fi
  say "installing$missing"
  # shellcheck disable=SC2086
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y \
    --no-install-recommends $missing; } >/tmp/cowfs-apt.$$ 2>&1; then
    tail -n 20 "/tmp/cowfs-apt.$$" >&2
    rm -f "/tmp/cowfs-apt.$$"
    die "could not install:$missing"
  fi
  rm -f "/tmp/cowfs-apt.$$"
}

# Sets java_version for the home of a virtual machine; fails when it is older than 17 or not there.
version_of_home() {
  java_version=
  [ -x "$1/bin/java" ] || return 1
  if [ -r "$1/release" ]; then
    while IFS= read -r line; do
      case $line in
        JAVA_VERSION=*)
          java_version=${line#JAVA_VERSION=\"}
          java_version=${java_version%\"}
          ;;
      esac
    done <"$1/release"
  else
    java_version=$("$1/bin/java" -version 2>&1 | sed -n '1s/.*"\(.*\)".*/\1/p')
  fi
  java_major=${java_version%%[!0-9]*}
  [ "${java_major:-0}" -ge 17 ]
}

find_java() {
  if [ -n "${JAVA_HOME:-}" ] && version_of_home "$JAVA_HOME"; then
    java_home=$JAVA_HOME
    return 0
  fi
  if command -v java >/dev/null 2>&1; then
    java_home=$(readlink -f -- "$(command -v java)")
    java_home=${java_home%/bin/java}
    version_of_home "$java_home" && return 0
  fi
  for java_home in /usr/lib/jvm/*; do
    version_of_home "$java_home" && return 0
  done
  return 1
}

# Sets java, java_home, java_version and java_major, and completes java_flags.
require_java() {
  if ! find_java; then
    install_missing /nonexistent=openjdk-17-jdk-headless
    find_java || die "no Java 17 or later found: set JAVA_HOME"
  fi
  java=$java_home/bin/java
  if [ "$java_major" -ge 22 ]; then
    opens="$opens --enable-native-access=ALL-UNNAMED"
  fi
  if [ "$java_major" -ge 23 ]; then
    java_flags="$java_flags --sun-misc-unsafe-memory-access=allow"
  fi
}

# Whether something that goes into the build is newer than it.
build_is_stale() {
  stamp=$root/cowfs-tools/target/run/current/stamp
  [ -e "$stamp" ] || return 0
  [ -n "$(find "$root/pom.xml" "$root"/cowfs-*/pom.xml "$root"/cowfs-*/src/main -newer "$stamp" \
    -print -quit)" ]
}

# Builds when needed, one at a time.
require_build() {
  build_is_stale || return 0
  install_missing mvn=maven flock=util-linux fusermount3=fuse3
  [ -x "$java_home/bin/javac" ] || install_missing /nonexistent=openjdk-17-jdk-headless
  mkdir -p "$root/target/launcher"
  (
    flock 9
    # Another one may have built while this one waited.
    ! build_is_stale || build
  ) 9>"$root/target/launcher/lock" || exit 1
}

build() {
  say "building; this takes a minute the first time"
  log=$root/target/launcher/build.log
  # An older time than that of a file that changes during the build.
  : >"$root/target/launcher/stamp"
  if ! (cd "$root" && JAVA_HOME=$java_home mvn -q -B -DskipTests package) >"$log" 2>&1 9>&-; then
    tail -n 20 "$log" >&2
    die "the build failed, see $log"
  fi
  install_build
}

# Copies what was built to a directory of its own, which nothing overwrites: daemons that run read
# their classes from there.
install_build() {
  runs=$root/cowfs-tools/target/run
  name=$(date +%Y%m%d-%H%M%S)-$$
  new=$runs/$name
  mkdir -p "$new"
  cp "$root"/cowfs-tools/target/lib/*.jar "$new/"
  cp "$root"/cowfs-tools/target/cowfs-tools-*.jar "$new/cowfs.jar"
  train_archive "$new"
  mv "$root/target/launcher/stamp" "$new/stamp"
  ln -s "$name" "$runs/current.$$"
  mv -T "$runs/current.$$" "$runs/current"
  # Keep the last three.
  for old in $(ls -1 "$runs" | grep -v '^current' | sort -r | tail -n +4); do
    rm -rf "${runs:?}/$old"
  done
}

# Makes the class-data archive that lets commands start fast. Without one they work as well. (A static
# archive: JDK 17 puts the old class files of picocli in no other.)
train_archive() {
  archive=$1/client-$java_version.jsa
  # shellcheck disable=SC2086
  if ! { "$java" $java_flags $client_flags -XX:DumpLoadedClassList="$1/classes" -cp "$1/cowfs.jar" \
    $opens io.cowfs.tools.ArchiveTraining &&
    "$java" $java_flags $client_flags -Xshare:dump -XX:SharedClassListFile="$1/classes" \
      -XX:SharedArchiveFile="$archive" -cp "$1/cowfs.jar"; } >"$1/archive.log" 2>&1 9>&-; then
    rm -f "$archive"
  fi
}
