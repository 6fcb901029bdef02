#!/bin/sh
# exports_test.sh LIBRARY SYMBOLS VERSION: fails when the shared library gives out anything else than the functions
# in SYMBOLS (as Debian's .symbols files are written: the name and the release since which it is there), or has
# another soname: programs that were linked with a release must go on with the next.
set -eu
library=$1 symbols=$2 version=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
export LC_ALL=C

# compare FILE: what the library gives out, against what FILE lists.
compare() {
  sed -n 's/^ \([^ ]*\) .*/\1/p' "$1" | sort >"$work/listed"
  nm -D --defined-only "$library" | awk '{ sub(/@@/, "@", $3); print $3 }' |
    sed '/@/! s/^CALLGATE_[0-9]*$/&@&/' | sort >"$work/exported"
  told=0
  for gone in $(comm -23 "$work/listed" "$work/exported"); do
    since=$(awk -v name="$gone" '$1 == name { print $2 }' "$1")
    echo "$gone was exported since $since and is gone: programs that use it would no longer start."
    echo "  Bring it back; or, if that cannot be, raise SOVERSION (harness/capi/CMakeLists.txt), the node in" \
         "callgate.map and the names of the package and of $(basename "$symbols")."
    told=1
  done
  for new in $(comm -13 "$work/listed" "$work/exported"); do
    case $new in
      callgate_*@CALLGATE_*)
        echo "$new is exported and not listed. If a header declares it, add this line to $symbols:"
        echo " $new $version"
        ;;
      *) echo "$new is exported and none of the interface: callgate.map should keep it local." ;;
    esac
    told=1
  done
  soname=$(LC_ALL=C readelf -d "$library" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
  wanted=$(sed -n '1s/ .*//p' "$1")
  if [ "$soname" != "$wanted" ]; then
    echo "the soname is ${soname:-none}, not $wanted: programs that are linked with a release would not find it."
    told=1
  fi
  return "$told"
}

compare "$symbols" || exit 1
# And it can fail.
sed '$p; $s/callgate_[a-z_]*/callgate_gone/' "$symbols" >"$work/one_gone"
sed '$d' "$symbols" >"$work/one_new"
sed '1s/\.so\.[0-9]*/&9/' "$symbols" >"$work/other_soname"
for other in one_gone one_new other_soname; do
  if compare "$work/$other" >"$work/words"; then
    echo "$other was not found out"
    exit 1
  fi
  [ -s "$work/words" ] || { echo "$other: no words"; exit 1; }
done
