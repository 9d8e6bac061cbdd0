# Finding a virtual machine and its flags: what the program needs wherever it runs, in a checkout or
# installed. Sourced, never run; expects $here, the directory of this file, to be set.
# shellcheck shell=sh
# shellcheck disable=SC2034

# What every virtual machine of cowfs is started with. A class-data archive that does not fit is no reason
# to say anything; why a machine does not start belongs to the errors.
java_flags="-Xshare:auto -Xlog:disable -Xlog:all=error:stderr -XX:+DisplayVMOutputToStderr"
# A command runs for a tenth of a second: one simple compiler, and that only for what is called thousands of
# times. (G1, because only with it JDK 17 takes archived objects over.)
client_flags="-XX:TieredStopAtLevel=1 -XX:CompileThresholdScaling=10 -XX:+UseG1GC -Xmx128m -XX:-UsePerfData"
# Spares the virtual machine to relocate the archive; later ones do not know the option.
archive_flags="-XX:+IgnoreUnrecognizedVMOptions -XX:+UnlockDiagnosticVMOptions -XX:ArchiveRelocationMode=0"
# What the manifest says where the program runs from its jar.
opens="--add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED"

say() {
  printf 'cowfs: %s\n' "$*" >&2
}

die() {
  say "$@"
  exit 1
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
  # The one that was there when the program was installed.
  if [ -r "$here/java-home" ]; then
    read -r java_home <"$here/java-home"
    [ -x "$java_home/bin/$1" ] && version_of_home "$java_home" && return 0
  fi
  return 1
}

# What to do where no Java is found; a checkout knows more.
no_java() {
  die "no Java 17 or later found: set JAVA_HOME"
}

# Sets java, java_home, java_version and java_major, and completes the flags.
require_java() {
  find_java java || no_java
  java=$java_home/bin/java
  if [ "$java_major" -ge 22 ]; then
    opens="$opens --enable-native-access=ALL-UNNAMED"
  fi
  if [ "$java_major" -ge 23 ]; then
    java_flags="$java_flags --sun-misc-unsafe-memory-access=allow"
  fi
}
