#!/bin/sh
# consumers.sh CMAKE CC CXX PREFIX [SYSROOT]: builds and runs programs that use the Callgate installed in PREFIX,
# by pkg-config and by each component of find_package. With SYSROOT, PREFIX lies in that folder, and what is built
# there is meant to run with the folder as its root.
set -eu
cmake=$1 cc=$2 cxx=$3 prefix=$4 sysroot=${5:-}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

pc=$(find "$sysroot$prefix/lib" "$sysroot$prefix/lib64" -name callgate.pc 2>/dev/null | head -n 1)
[ -n "$pc" ] || { echo "there is no callgate.pc in $sysroot$prefix"; exit 1; }
pc=$(dirname "$pc")
libraries=$(dirname "$pc")
pkg_config() {
  PKG_CONFIG_PATH=$pc PKG_CONFIG_SYSROOT_DIR=$sysroot pkg-config "$@"
}
# quiet COMMAND...: its output is shown where it fails.
quiet() {
  "$@" >"$work/log" 2>&1 || { echo "failed: $*"; cat "$work/log"; exit 1; }
}
run() {
  quiet env LD_LIBRARY_PATH="$libraries" "$@"
}

# pkg-config. What it prints are words of a command line.
# shellcheck disable=SC2046
quiet "$cc" -o "$work/c" "$here/main.c" $(pkg_config --cflags --libs callgate)
readelf -d "$work/c" | grep -q 'NEEDED.*libcallgate\.so\.[0-9]' || {
  echo "a program that is linked with -lcallgate does not ask for its soname"
  exit 1
}
run "$work/c"
# shellcheck disable=SC2046
quiet "$cc" -o "$work/tools" "$here/main_tools.c" $(pkg_config --cflags --libs callgate)
run "$work/tools"
if [ -z "$sysroot" ]; then
  # In a sysroot this would want the archives of others there too.
  # shellcheck disable=SC2046
  quiet "$cc" -static -o "$work/c_static" "$here/main.c" $(pkg_config --static --cflags --libs callgate)
  quiet "$work/c_static"
  # shellcheck disable=SC2046
  quiet "$cxx" -std=c++23 -o "$work/harness" "$here/component/harness.cpp" \
    $(pkg_config --cflags --libs callgate-harness)
  run "$work/harness"
fi
# shellcheck disable=SC2046
quiet "$cxx" -std=c++23 -o "$work/verifier" "$here/main.cpp" $(pkg_config --cflags --libs callgate-verifier)
run "$work/verifier"

# find_package, of one component at a time.
configure() {
  component=$1
  if [ -n "$sysroot" ]; then
    "$cmake" -S "$here/component" -B "$work/of/$component" -DCOMPONENT="$component" -DCMAKE_CXX_COMPILER="$cxx" \
      -DCMAKE_C_COMPILER="$cc" -DCMAKE_FIND_ROOT_PATH="$sysroot"
  else
    "$cmake" -S "$here/component" -B "$work/of/$component" -DCOMPONENT="$component" -DCMAKE_CXX_COMPILER="$cxx" \
      -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$prefix"
  fi
}
package=$libraries/cmake/callgate
components="vm verifier c c_static harness testing"
for optional in jit solver; do
  [ ! -e "$package/callgate-$optional-targets.cmake" ] || components="$components $optional"
done
for component in $components; do
  quiet configure "$component"
  grep -q "^callgate_DIR:PATH=$package\$" "$work/of/$component/CMakeCache.txt" || {
    echo "$component: another Callgate was found"
    grep callgate_DIR "$work/of/$component/CMakeCache.txt"
    exit 1
  }
  quiet "$cmake" --build "$work/of/$component"
  run "$work/of/$component/consumer"
done
if configure none_such >"$work/log" 2>&1; then
  echo "a component that there is not was found"
  exit 1
fi
grep -q 'There is no component none_such' "$work/log" || { cat "$work/log"; exit 1; }
echo "pkg-config, and find_package of each of $components: built and run"
