#!/bin/sh
# harness/package/reproducible.sh [TARGET...]: builds the tree twice and compares every byte of what comes out: in two
# folders whose names are of other lengths, one after the other, with another time zone, language and umask, without
# ccache. TARGET: what is built, callgate_packages if not given (the command, the libraries, Debian's packages). By hand:
# it takes as long as two builds. CALLGATE_JOBS: how many compilers at once. Exit code 1: something differs; both
# folders are kept then, and named.
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
  { env -u CMAKE_C_COMPILER_LAUNCHER -u CMAKE_CXX_COMPILER_LAUNCHER -u SOURCE_DATE_EPOCH CCACHE_DISABLE=1 \
      cmake -S "$tree" -B "$tree/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr \
        -DBUILD_TESTING=OFF -DCALLGATE_COMMIT="$commit" -DCMAKE_SHARED_LINKER_FLAGS=-Wl,-z,now \
        -DCMAKE_EXE_LINKER_FLAGS=-Wl,-z,now &&
    env -u SOURCE_DATE_EPOCH CCACHE_DISABLE=1 \
      cmake --build "$tree/build" ${CALLGATE_JOBS:+-j"$CALLGATE_JOBS"} --target "$@"; } >"$work/log" 2>&1 ||
    { tail -n 40 "$work/log"; fail "the build in $tree failed"; }
  # What is kept of a build: libraries, programs, packages, the manual and other files that are installed.
  (cd "$tree/build" && find . -type f \( -name '*.a' -o -name '*.so.*' -o -name '*.deb' -o -name callgate \
      -o -name '*.cdx.json' -o -path '*/share/*' \) ! -path '*/_CPack_Packages/*' ! -path '*/CMakeFiles/*' |
    sort | xargs sha256sum) >"$tree.sums"
  [ -s "$tree.sums" ] || fail "nothing came out that could be compared"
}

# shellcheck disable=SC2030,SC2031 # for these subshells only
(umask 022; export TZ=UTC LC_ALL=C.UTF-8; build one "$@")
say "built once"
# shellcheck disable=SC2030,SC2031
(umask 077; export TZ=Pacific/Chatham LC_ALL=C; build two_with_a_longer_name "$@")
say "built again"

grep -v '/share/' "$work/one.sums" || true
if ! diff "$work/one.sums" "$work/two_with_a_longer_name.sums"; then
  trap - EXIT
  fail "the above differ, in $work"
fi
# No file names the folder that it was made in.
for tree in one two_with_a_longer_name; do
  while read -r _ file; do
    ! grep -q -F "$work/$tree" "$work/$tree/build/$file" || fail "$file names the folder that it was built in"
  done <"$work/$tree.sums"
done
say "$(wc -l <"$work/one.sums") files are the same, byte for byte, and none names the folder that it was built in"
