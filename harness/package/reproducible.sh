#!/bin/sh
# harness/package/reproducible.sh [TARGET...]: builds the tree twice and compares every byte of what comes out: in two
# folders whose names are of other lengths, one after the other, with another time zone, language and umask, without
# ccache. TARGET: what is built, callgate_packages if not given (the command, the libraries, Debian's packages). By hand:
# it takes as long as two builds. CALLGATE_JOBS: how many compilers at once. CALLGATE_CCACHE=1: compiled by ccache after all, so
# that linking, generating and packing are what is done twice: that is quick, and proves less. Exit code 1: something
# differs; both folders are kept then, and named.
set -eu
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- callgate_packages
started=$(date +%s)
say() { echo "$(($(date +%s) - started)) s: $*"; }
fail() { echo "reproducible: $*" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT INT TERM
commit=$(git rev-parse HEAD 2>/dev/null || echo unknown)

# build NAME TARGET...: a copy of the sources as they are now, configured as packages are.
build() {
  tree=$work/$1
  shift
  mkdir "$tree"
  git ls-files -co --exclude-standard -z | tar --null --files-from=- -c | tar -x -C "$tree"
  if [ -n "${CALLGATE_CCACHE:-}" ]; then
    unset CCACHE_DISABLE
    export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR="$tree" CCACHE_NOHASHDIR=1
  else
    unset CMAKE_C_COMPILER_LAUNCHER CMAKE_CXX_COMPILER_LAUNCHER
    export CCACHE_DISABLE=1
  fi
  unset SOURCE_DATE_EPOCH
  { cmake -S "$tree" -B "$tree/build/release" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr \
        -DBUILD_TESTING=OFF -DCALLGATE_COMMIT="$commit" -DCMAKE_SHARED_LINKER_FLAGS=-Wl,-z,now \
        -DCMAKE_EXE_LINKER_FLAGS=-Wl,-z,now &&
    cmake --build "$tree/build/release" ${CALLGATE_JOBS:+-j"$CALLGATE_JOBS"} --target "$@"; } >"$work/log" 2>&1 ||
    { tail -n 40 "$work/log"; fail "the build in $tree failed"; }
  # What is kept of a build: libraries, programs, packages, the manual and other files that are installed.
  (cd "$tree/build/release" && find . -type f \( -name '*.a' -o -name '*.so.*' -o -name '*.deb' -o -name callgate \
      -o -name '*.cdx.json' -o -path '*/share/*' \) ! -path '*/_CPack_Packages/*' ! -path '*/CMakeFiles/*' |
    sort | xargs sha256sum) >"$tree.sums"
  [ -s "$tree.sums" ] || fail "nothing came out that could be compared"
}

# language NAME: ccache takes what was compiled in another language for something else.
language() {
  [ -n "${CALLGATE_CCACHE:-}" ] || export LC_ALL="$1"
}

# shellcheck disable=SC2030,SC2031 # for these subshells only
(umask 022; export TZ=UTC; language C.UTF-8; build one "$@")
say "built once"
# shellcheck disable=SC2030,SC2031
(umask 077; export TZ=Pacific/Chatham; language C; build two_with_a_longer_name "$@")
say "built again"

grep -v '/share/' "$work/one.sums" || true
if ! diff "$work/one.sums" "$work/two_with_a_longer_name.sums"; then
  trap - EXIT
  fail "the above differ, in $work"
fi
# No file names the folder that it was made in.
for tree in one two_with_a_longer_name; do
  while read -r _ file; do
    ! grep -q -F "$work/$tree" "$work/$tree/build/release/$file" || fail "$file names the folder that it was built in"
  done <"$work/$tree.sums"
done
say "$(wc -l <"$work/one.sums") files are the same, byte for byte, and none names the folder that it was built in"
