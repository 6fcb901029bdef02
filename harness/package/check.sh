#!/bin/sh
# harness/package/check.sh [BUILD]: builds the packages of Debian in BUILD (build/package), has lintian judge them,
# installs them in a fresh Debian where nothing else is, runs the command, builds consumers there, removes all, and
# compares every file with what was there before. As root, or with sudo's help; wants debootstrap, lintian and the
# packages that Callgate is built from, and the mirror of Debian that apt uses. Nothing outside of BUILD and a folder
# in TMPDIR is written to. CALLGATE_MIRROR: another mirror.
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build/package}
started=$(date +%s)
say() { echo "$(($(date +%s) - started)) s: $*"; }
fail() { echo "package check: $*" >&2; exit 1; }
for tool in cmake ninja lintian debootstrap dpkg-shlibdeps; do
  command -v "$tool" >/dev/null || fail "$tool is missing: apt-get install cmake ninja-build lintian debootstrap dpkg-dev"
done
[ "$(id -u)" -eq 0 ] || fail "only root may make a root of its own: run it with sudo"
work=$(mktemp -d)
root=$work/root
trap 'rm -rf --one-file-system "$work"' EXIT INT TERM
# quiet COMMAND...: its output is shown where it fails.
quiet() {
  "$@" >"$work/log" 2>&1 || { tail -n 60 "$work/log"; fail "failed: $*"; }
}

# Built, without a change to the sources' folder.
changes() { git status --porcelain --ignored=no 2>/dev/null || true; }
changes >"$work/before"
quiet cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr -DBUILD_TESTING=OFF \
  -DCMAKE_SHARED_LINKER_FLAGS=-Wl,-z,now -DCMAKE_EXE_LINKER_FLAGS=-Wl,-z,now
rm -rf "$build/packages"
quiet cmake --build "$build" --target callgate_packages ${CALLGATE_JOBS:+-j"$CALLGATE_JOBS"}
sha256sum "$build/packages/"*.deb >"$work/first"
quiet cmake --build "$build" --target callgate_packages
sha256sum "$build/packages/"*.deb | diff "$work/first" - || fail "made again, the packages are others"
changes >"$work/after"
cmp -s "$work/before" "$work/after" || { diff "$work/before" "$work/after"; fail "the build changed the sources"; }
(cd "$build/packages" && stat -c '%s %n' ./*.deb)
[ "$(find "$build/packages" -maxdepth 1 -name '*.deb' | wc -l)" -eq 3 ] || fail "there should be three packages"
say "built"

lintian --allow-root --display-info --pedantic --fail-on error,warning,info,pedantic "$build/packages/"*.deb ||
  fail "lintian objects"
say "lintian accepts them, its info and pedantic tags too"

# A Debian in a folder, as small as it goes.
# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
# shellcheck disable=SC2086
quiet debootstrap --variant=minbase "$suite" "$root" ${CALLGATE_MIRROR:-}
mkdir "$root/packages" "$root/consumer"
cp "$build/packages/"*.deb "$root/packages"
cp -r harness/capi/consumer/. "$root/consumer"
inside() {
  chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive "$@"
}
install() {
  quiet inside apt-get -q -y --no-install-recommends install "$@"
  inside apt-get clean
}
# needs FIELD PACKAGE: the names of what it depends on, recommends or suggests, without ours.
needs() {
  dpkg-deb -f "$build/packages/$2"_*.deb "$1" | sed 's/([^)]*)//g; s/,/ /g' | tr ' ' '\n' | grep -v -e '^$' -e callgate
}
# files: each of the root, with its kind, mode, owner and content; without the logs and lists of dpkg and apt.
files() {
  (cd "$root" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp -o -path ./packages \
      -o -path ./consumer -o -path ./var/log -o -path ./var/cache -o -path './var/lib/dpkg/status*' \
      -o -path ./var/lib/dpkg/triggers -o -path ./var/lib/apt \) -prune -o -printf '%p %y %m %u %g %l\n' | sort
    find . -xdev -type f ! -path './var/*' ! -path './packages/*' ! -path './consumer/*' ! -path './proc/*' \
      ! -path './tmp/*' -exec sha256sum {} + | sort -k 2)
}
removed() {
  quiet inside dpkg --purge callgate libcallgate-dev libcallgate0
  files >"$work/files_after"
  diff "$work/files_before" "$work/files_after" || fail "the packages left the above behind"
}

quiet inside apt-get -q update
# shellcheck disable=SC2046
install $(needs Depends callgate) $(needs Depends libcallgate0)
files >"$work/files_before"
say "a Debian of $(wc -l <"$work/files_before") lines of files"
quiet inside sh -c 'dpkg -i /packages/callgate_*.deb /packages/libcallgate0_*.deb'
inside callgate --version
printf 'ld [0]\njne #39, allow\nret #0x00050001\nallow: ret #0x7fff0000\n' >"$root/packages/filter.asm"
inside sh -c 'cd /packages && callgate asm filter.asm -o filter.bpf && callgate check filter.bpf &&
              callgate run -f filter.bpf --arch x86_64 getpid'
inside ldconfig -p | grep -q "libcallgate\.so\.0" || fail "the linker's cache does not know libcallgate.so.0"
removed
say "the command and the library: installed, run, purged, no file differs"

# shellcheck disable=SC2046
install g++ cmake make pkg-config dpkg-dev $(needs Recommends libcallgate-dev) $(needs Suggests libcallgate-dev)
files >"$work/files_before"
quiet inside sh -c 'dpkg -i /packages/*.deb'
inside sh /consumer/consumers.sh cmake cc c++ /usr
# What was linked with the library depends on its package, from the release on that has all it uses.
mkdir -p "$root/packages/shlibdeps/debian"
printf 'Source: consumer\n\nPackage: consumer\nArchitecture: any\n' >"$root/packages/shlibdeps/debian/control"
# shellcheck disable=SC2016 # what the shell inside expands
inside sh -c 'cd /packages/shlibdeps && cc -o consumer /consumer/main.c $(pkg-config --cflags --libs callgate) &&
              dpkg-shlibdeps -O consumer' >"$work/depends"
cat "$work/depends"
grep -q 'libcallgate0 (>= ' "$work/depends" || fail "a consumer's package would not depend on libcallgate0"
removed
say "all three: installed, consumers built and run, purged, no file differs"
