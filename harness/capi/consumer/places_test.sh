#!/bin/sh
# places_test.sh CMAKE BUILD CC CXX: installs the build tree BUILD into a prefix, and into a sysroot (DESTDIR), without
# asking for more than an ordinary user may do, and builds what consumers build. Nothing may be left outside, and
# components are whole: together they are the tree, and none has what another has.
set -eu
cmake=$1 build=$2 cc=$3 cxx=$4
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

"$cmake" --install "$build" --prefix "$work/prefix" >/dev/null
(cd "$work/prefix" && find . ! -type d | sort) >"$work/all"
for component in tool library development; do
  "$cmake" --install "$build" --prefix "$work/$component" --component "$component" >/dev/null
  (cd "$work/$component" && find . ! -type d | sort)
done | sort >"$work/parts"
cmp -s "$work/all" "$work/parts" || {
  echo "the components are not the whole:"
  diff "$work/all" "$work/parts"
  exit 1
}
# The library's component has nothing that a program's start does not need (and documents, where it is for Debian).
if (cd "$work/library" && find . ! -type d) | grep -v -e '/libcallgate\.so\.[0-9.]*$' -e '^\./share/'; then
  echo "is no part of the shared library"
  exit 1
fi
# Nobody needs the build tree, or the sources, for what was installed.
for folder in "$build" "$(cd "$here/../../.." && pwd)"; do
  # A whole path: a clone may stand in /callgate, as parts of what was installed do.
  if grep -rlIP "((?<![\\w/.})>-])|(?<=-[IL]))\\Q$folder\\E(?![\\w.-])" "$work/prefix"; then
    echo "installed texts name $folder"
    exit 1
  fi
done
sh "$here/consumers.sh" "$cmake" "$cc" "$cxx" "$work/prefix"

DESTDIR="$work/root" "$cmake" --install "$build" --prefix /opt/callgate >/dev/null
[ "$(ls "$work/root")" = opt ] && [ "$(ls "$work/root/opt")" = callgate ]
grep -q '^prefix=/opt/callgate$' "$(find "$work/root" -name callgate.pc)"
sh "$here/consumers.sh" "$cmake" "$cc" "$cxx" /opt/callgate "$work/root"
