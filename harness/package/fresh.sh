#!/bin/sh
# What a newcomer does, on a machine that has nothing: a Debian made by debootstrap, minbase, for each. By hand, as root.
#   harness/package/fresh.sh clone [WORD...]         a clone of this repository's HEAD, and in it `./bootstrap WORD`, demo and then
#                                                    test if none is given, each timed
#   harness/package/fresh.sh packages DIR [DOCUMENT...]  callgate_*.deb and libcallgate0_*.deb of DIR by apt-get; then the
#                                                    commands of documents, harness/docs/tutorial.md if none is given, as an
#                                                    ordinary user, compared with what they show. For that comparison
#                                                    alone python3 is installed too
# CALLGATE_MIRROR: another mirror of Debian. CALLGATE_FRESH_ROOT: a tar file of such a root, made instead of by debootstrap.
# Wants debootstrap, git and network; everything that is made lies in a folder of TMPDIR, and is removed. Exit code 1:
# something did not go as told.
set -eu
cd "$(dirname "$0")/../.."
started=$(date +%s)
say() { echo "$(($(date +%s) - started)) s: $*"; }
fail() { echo "fresh: $*" >&2; exit 1; }
usage() { sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2; }
what=${1:-}
case $what in clone | packages) shift ;; *) usage ;; esac
[ "$(id -u)" -eq 0 ] || fail "only root may make a root of its own: run it with sudo"
work=$(mktemp -d)
root=$work/root
mounted=
clean() {
  for each in $mounted; do umount "$root/$each"; done
  rm -rf --one-file-system "$work"
}
trap clean EXIT
trap 'exit 1' INT TERM
# quiet COMMAND...: its output is shown where it fails.
quiet() {
  "$@" >"$work/log" 2>&1 || { tail -n 60 "$work/log"; fail "failed: $*"; }
}
inside() {
  chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb \
    DEBIAN_FRONTEND=noninteractive "$@"
}

if [ -n "${CALLGATE_FRESH_ROOT:-}" ]; then
  mkdir "$root"
  tar -C "$root" -xf "$CALLGATE_FRESH_ROOT"
else
  command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap"
  # shellcheck source=/dev/null
  suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
  # shellcheck disable=SC2086
  quiet debootstrap --variant=minbase "$suite" "$root" ${CALLGATE_MIRROR:-}
fi
mount -t proc proc "$root/proc" && mounted=proc
# Terminals of its own: tests ask what is shown on one.
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts" && mounted="dev/pts $mounted"
rm -f "$root/dev/ptmx" && ln -s pts/ptmx "$root/dev/ptmx"
say "a Debian of $(inside dpkg-query -f '.\n' -W | wc -l) packages"

if [ "$what" = clone ]; then
  [ $# -gt 0 ] || set -- demo test
  quiet git clone -q --no-local . "$root/callgate"
  for word in "$@"; do
    begun=$(date +%s)
    code=0
    inside sh -c "cd /callgate && ./bootstrap $word" || code=$?
    say "./bootstrap $word: exit code $code after $(($(date +%s) - begun)) s"
    [ "$code" -eq 0 ] || exit 1
  done
  [ -z "$(git -C "$root/callgate" status --porcelain)" ] || fail "bootstrap changed the clone"
else
  [ $# -gt 0 ] || usage
  packages=$1
  shift
  [ $# -gt 0 ] || set -- harness/docs/tutorial.md
  mkdir "$root/packages"
  cp "$packages"/callgate_*.deb "$packages"/libcallgate0_*.deb "$root/packages"
  quiet inside apt-get -q update
  begun=$(date +%s)
  quiet inside sh -c 'apt-get -q install -y --no-install-recommends /packages/*.deb'
  inside callgate --version
  say "the packages and what they depend on, $(inside dpkg-query -f '.\n' -W | wc -l) packages now: $(($(date +%s) - begun)) s"
  quiet inside apt-get -q install -y --no-install-recommends python3
  # The runner takes folders of the repository, where a document names some.
  mkdir "$root/callgate"
  git archive HEAD harness/docs corpus "$@" | tar -x -C "$root/callgate"
  inside useradd --create-home newcomer
  begun=$(date +%s)
  quoted=
  for document in "$@"; do
    [ -f "$root/callgate/$document" ] || fail "$document is not in the repository"
    quoted="$quoted $document"
  done
  inside su newcomer -c "cd /callgate && python3 harness/docs/snippets_test.py --callgate /usr/bin/callgate --time$quoted" ||
    fail "a document shows something else"
  say "what$quoted shows, command by command: $(($(date +%s) - begun)) s"
fi
