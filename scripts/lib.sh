# Shared by the scripts of a checkout: installing what they need, and building. Sourced, never run;
# expects $root (the checkout) to be set.
# shellcheck shell=sh
# shellcheck disable=SC2034

here=$root/scripts
# shellcheck source=scripts/java.sh
. "$here/java.sh"

no_java() {
  install_packages openjdk-17-jdk-headless
  find_java java || die "no Java 17 or later found: set JAVA_HOME"
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

# Sets jdk_home to what can compile.
require_jdk() {
  find_java javac || install_packages openjdk-17-jdk-headless
  find_java javac || die "no Java 17 or later with a compiler found: set JAVA_HOME"
  jdk_home=$java_home
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

# Makes the class-data archive that lets commands and daemons start fast. Without one they work as well. (A static
# archive: JDK 17 puts the old class files of picocli in no other.)
train_archive() {
  archive=$1/classes-$java_version.jsa
  # shellcheck disable=SC2086
  if ! { "$java" $java_flags $client_flags $archive_flags -XX:DumpLoadedClassList="$1/classes" -cp "$1/cowfs.jar" \
    $opens io.cowfs.tools.ArchiveTraining &&
    "$java" $java_flags $client_flags $archive_flags -Xshare:dump -XX:SharedClassListFile="$1/classes" \
      -XX:SharedArchiveFile="$archive" -cp "$1/cowfs.jar"; } >"$1/archive.log" 2>&1 9>&-; then
    rm -f "$archive"
  fi
}
