#!/bin/sh
# The main job on real filters: ./bootstrap demo. Takes the folder that Callgate was built in.
set -eu
build=$1
callgate=$build/harness/cli/callgate
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
failed=0

echo "== The classic demonstration: ERRNO(EPERM) but for read, write, exit, exit_group, getpid; by libseccomp"
"$build/corpus/callgate_demo_filter" "$work/demonstration"
(cd "$work" && "$OLDPWD/$callgate" check --kernel host demonstration) || failed=1
echo
(cd "$work" && "$OLDPWD/$callgate" live -f demonstration getpid uname read openat exit_group ptrace) ||
  failed=1
echo
echo "== Every syscall of the table, asked of Callgate and of the running kernel"
(cd "$work" && "$OLDPWD/$callgate" live -f demonstration --all --quiet) || failed=1

echo
echo "== The filters that firejail ships compiled"
found=0
for folder in /usr/lib/*/firejail; do
  for filter in "$folder"/seccomp*; do
    [ -f "$filter" ] || continue
    name=$(basename "$filter")
    found=1
    arch=$(uname -m)
    case "$name" in *32 | *secondary*) [ "$arch" != x86_64 ] || arch=i386 ;; esac
    (cd "$folder" && "$OLDPWD/$callgate" check --kernel host "$name") || failed=1
    (cd "$folder" && "$OLDPWD/$callgate" live -f "$name" --arch "$arch" --all --quiet) || failed=1
  done
done

echo
echo "== What the demonstration means, for all calls there can be; and in fewer instructions, proved the same"
(cd "$work" && "$OLDPWD/$callgate" explain -f demonstration) | head -n 12 || failed=1
(cd "$work" && "$OLDPWD/$callgate" reduce --to raw -o reduced demonstration) || failed=1
(cd "$work" && "$OLDPWD/$callgate" diff demonstration reduced) || failed=1
echo
echo "== A suite of a profile: two of its ten cases fail, and it says why; the mended profile passes"
(cd corpus/suites/tutorial && "$OLDPWD/$callgate" test profile_test.yaml) && failed=1
(cd corpus/suites/tutorial && "$OLDPWD/$callgate" test profile_fixed_test.yaml) || failed=1
[ "$found" = 1 ] || { echo "none found: the package firejail is not installed"; failed=1; }
exit "$failed"
