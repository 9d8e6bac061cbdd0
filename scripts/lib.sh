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

# require_packages PROGRAM=PACKAGE...: installs the packages whose programs are not there, or says which
# they are.
require_packages() {
  missing=
  for pair; do
    command -v "${pair%%=*}" >/dev/null 2>&1 || missing="$missing ${pair#*=}"
  done
  [ -z "$missing" ] || install_packages "$missing"
}

# require_libraries FILE=PACKAGE...: as require_packages, for shared libraries.
require_libraries() {
  missing=
  for pair; do
    PATH=$PATH:/sbin:/usr/sbin ldconfig -p | grep -qF "${pair%%=*} " || missing="$missing ${pair#*=}"
  done
  [ -z "$missing" ] || install_packages "$missing"
}

install_packages() {
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    die "please install these Debian packages: $*"
  fi
  say "installing $*"
  # shellcheck disable=SC2068
  if ! output=$({ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y \
    --no-install-recommends $@; } 2>&1); then
    printf '%s\n' "$output" | tail -n 20 >&2
    die "could not install $*"
  fi
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

# find_java PROGRAM: sets java_home to a home of Java 17 or later that has the program (java or javac).
find_java() {
  if [ -n "${JAVA_HOME:-}" ] && [ -x "$JAVA_HOME/bin/$1" ] && version_of_home "$JAVA_HOME"; then
    java_home=$JAVA_HOME
    return 0
  fi
  if command -v "$1" >/dev/null 2>&1; then
    java_home=$(readlink -f -- "$(command -v "$1")")
    java_home=${java_home%/bin/*}
    version_of_home "$java_home" && return 0
  fi
  for java_home in /usr/lib/jvm/*; do
    [ -x "$java_home/bin/$1" ] && version_of_home "$java_home" && return 0
  done
  return 1
}

# Sets jdk_home to what can compile.
require_jdk() {
  find_java javac || install_packages openjdk-17-jdk-headless
  find_java javac || die "no Java 17 or later with a compiler found: set JAVA_HOME"
  jdk_home=$java_home
}

# Sets java, java_home, java_version and java_major, and completes the flags.
require_java() {
  find_java java || install_packages openjdk-17-jdk-headless
  find_java java || die "no Java 17 or later found: set JAVA_HOME"
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
  require_packages mvn=maven flock=util-linux fusermount3=fuse3
  mkdir -p "$root/target/launcher"
  (
    flock 9
    # Another one may have built while this one waited.
    ! build_is_stale || build
  ) 9>"$root/target/launcher/lock" || exit 1
}

# Runs in a subshell: what it changes stays there.
build() (
  log=$root/target/launcher/build.log
  say "building; this takes a minute or two"
  # The time of the build is that of its start: files that change during it are newer.
  : >"$root/target/launcher/stamp"
  runtime=$java
  require_jdk
  # Warnings are the developers' affair.
  if ! (cd "$root" && JAVA_HOME=$jdk_home mvn -q -B -Dmaven.test.skip=true \
    -Dcowfs.javac.warnings=-nowarn package) >"$log" 2>&1 9>&-; then
    grep -F ERROR "$log" | head -n 5 >&2
    die "the build failed, see $log"
  fi
  version_of_home "${runtime%/bin/java}"
  install_build
)

# Copies what was built to a directory of its own, which nothing overwrites: daemons that run read
# their classes from there.
install_build() {
  runs=$root/cowfs-tools/target/run
  name=$(date +%Y%m%d-%H%M%S)-$$
  new=$runs/$name
  jar=$(ls -1t "$root"/cowfs-tools/target/cowfs-tools-*.jar | head -n 1)
  mkdir -p "$new" &&
    cp "$root"/cowfs-tools/target/lib/*.jar "$new/" &&
    cp "$jar" "$new/cowfs.jar" || die "cannot write to $new"
  train_archive "$new"
  mv "$root/target/launcher/stamp" "$new/stamp" &&
    ln -s "$name" "$runs/current.$$" &&
    mv -T "$runs/current.$$" "$runs/current" || die "cannot write to $runs"
  # Keep the last three.
  for old in $(ls -1r "$runs" | grep -v "^current" | tail -n +4); do
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
