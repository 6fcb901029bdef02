#!/bin/sh
# test.sh LANGUAGE PREFIX WORK CC CXX: builds the example in that language by the command that README.md shows, with the
# Callgate that is installed in PREFIX, and holds what it prints against that page.
set -eu
language=$1 prefix=$2 work=$3 cc=$4 cxx=$5
here=$(cd "$(dirname "$0")" && pwd)
skip() { echo "[  SKIPPED ] $*"; exit 0; }
fail() { echo "$language: $*"; exit 1; }
case $language in
  go) command -v go >/dev/null || skip "go is missing: golang-go" ;;
  rust) command -v rustc >/dev/null || skip "rustc is missing: rustc" ;;
esac
pc=$(find "$prefix/lib" "$prefix/lib64" -name callgate.pc 2>/dev/null | head -n 1)
[ -n "$pc" ] || fail "there is no callgate.pc in $prefix"
pc=$(dirname "$pc")

rm -rf "$work"
mkdir -p "$work/bin" "$work/cache"
cp "$here/$language/"* "$here/profile.json" "$work"
# The compilers of this build, by the names of the page.
ln -s "$(command -v "$cc")" "$work/bin/cc"
ln -s "$(command -v "$cxx")" "$work/bin/c++"
export PATH="$work/bin:$PATH" PKG_CONFIG_PATH="$pc" LD_LIBRARY_PATH="${pc%/pkgconfig}" LC_ALL=C.UTF-8
export GOCACHE="$work/cache" GOPATH="$work/cache" GOFLAGS=-mod=mod GOPROXY=off
export PYTHONPATH="$here/../python" PYTHONDONTWRITEBYTECODE=1
cd "$work"

awk -v begin="\`\`\`sh $language" '$0 == begin { on = 1; next } /^```/ { on = 0 } on' "$here/README.md" >build.sh
[ -s build.sh ] || fail "README.md has no command that builds it"
sh -eu build.sh >build.log 2>&1 || { cat build.log; fail "README.md's command failed: $(cat build.sh)"; }
[ ! -s build.log ] || { cat build.log; fail "the compiler has something to say"; }
# Of the languages that are linked with the shared library, each asks for its soname.
case $language in
  c | go | rust) readelf -d calls | grep -q 'NEEDED.*libcallgate\.so\.0' || fail "it does not ask for libcallgate.so.0" ;;
esac

awk '/^\$ \.\/calls/ { on = 1 } /^```/ { on = 0 } on' "$here/README.md" >shown
[ "$(wc -l <shown)" -gt 5 ] || fail "README.md shows nothing that is printed"
sed -n '1s/^\$ //p' shown >run.sh
sed 1d shown >expected
status=0
sh run.sh >printed 2>errors || status=$?
diff expected printed || fail "prints something else than README.md shows"
[ "$status" -eq 1 ] || fail "the exit code is $status, not 1"
[ ! -s errors ] || { cat errors; fail "there are errors"; }

# ends STATUS WORDS ARGUMENT...: the exit code, and what is said.
ends() {
  wanted=$1 words=$2 status=0
  shift 2
  ./calls "$@" >printed 2>&1 || status=$?
  [ "$status" -eq "$wanted" ] || { cat printed; fail "calls $*: the exit code is $status, not $wanted"; }
  grep -q -- "$words" printed || { cat printed; fail "calls $*: does not say: $words"; }
}
ends 0 'read: ALLOW, executes' profile.json read 'openat(AT_FDCWD, 0, O_RDONLY)'
ends 2 'no_such_call' profile.json ptrace 'no_such_call()' read
ends 2 'none.json' none.json read
ends 2 'usage: calls' profile.json
# ld [0]; there is no return.
printf '\040\000\000\000\000\000\000\000' >refused.bpf
ends 2 'Linux' refused.bpf read
echo "built, and prints what README.md shows"
