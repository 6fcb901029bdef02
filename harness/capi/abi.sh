#!/bin/sh
# abi.sh STORED [CC]: whether programs that were compiled with the header of the last release go on with this one, as
# libabigail sees it: types of arguments and results, layouts of structs, values of enums. STORED is what abidw said of that
# release (libcallgate0.abi). New functions are no change; a new field at the end of a struct that begins with its
# size is told, and may be. Which symbols there are exports_test.sh says.
#   abi.sh --write STORED [CC]: writes it anew, for a release.
# Compared are the headers, compiled as C into a library of functions that do nothing: so it takes no debugging
# information of the real one, and nothing of C++ is in it.
set -eu
write=
[ "${1:-}" != --write ] || { write=1; shift; }
stored=$1
compiler=${2:-cc}
here=$(cd "$(dirname "$0")" && pwd)
for tool in abidw abidiff "$compiler"; do
  command -v "$tool" >/dev/null || { echo "[  SKIPPED ] $tool is not here (./bootstrap test installs it)"; exit 0; }
done
case $("$compiler" -dumpmachine) in
  x86_64-*) ;;
  *) echo "[  SKIPPED ] the stored layouts are of x86_64"; exit 0 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

# describe FOLDER OUT: the ABI of the headers there.
describe() {
  (cd "$1" && for header in callgate*.h; do echo "#include \"$header\""; done) >"$work/stubs.c"
  # Each declaration becomes a definition. A declaration of the interface is all between CALLGATE_API and the semicolon.
  cat "$1"/callgate*.h | sed '/^#/d' | tr '\n' ' ' | sed 's/CALLGATE_API/\n&/g' |
    sed -n 's/^CALLGATE_API \([^;]*\);.*/CALLGATE_API \1 { __builtin_trap(); }/p' >>"$work/stubs.c"
  grep -q __builtin_trap "$work/stubs.c" || { echo "no functions were found in $1"; exit 1; }
  "$compiler" -std=c11 -g -O0 -shared -fPIC -w -I "$1" -Wl,-soname,libcallgate.so.0 -o "$work/stubs.so" "$work/stubs.c"
  abidw --no-show-locs --no-comp-dir-path --no-corpus-path "$work/stubs.so" | sed "s#$work/##g" >"$2"
}

# compare NOW: 0 where nothing changed but what may.
compare() {
  abidiff --no-added-syms "$stored" "$1" >"$work/words" || return 1
}

if [ -n "$write" ]; then
  describe "$here" "$stored"
  exit 0
fi
describe "$here" "$work/now.abi"
compare "$work/now.abi" || {
  cat "$work/words"
  echo "Programs that were compiled with a release may not go on with this one. If all of the above are fields that are new" \
       "at the end of structs that begin with \`size_t size\`, they do: sh $0 --write $stored. Else undo it, or raise" \
       "SOVERSION (harness/package/README.md)."
  exit 1
}

# And it can fail, and take what it should.
spoil() {
  rm -rf "$work/other"
  mkdir "$work/other"
  cp "$here"/callgate*.h "$work/other"
  sed -i "$1" "$work/other/callgate.h"
  ! cmp -s "$here/callgate.h" "$work/other/callgate.h" || { echo "nothing to spoil: $1"; exit 1; }
  describe "$work/other" "$work/other.abi"
}
for change in 's/^  uint64_t args\[6\];/  uint64_t args[7];/' 's/^  uint8_t jt;/  uint16_t jt;/' \
  's/callgate_filter_create(const callgate_instruction\* program, size_t length,/callgate_filter_create(const callgate_instruction* program, int length,/' \
  's/^  const char\* engine;/  int engine;/' 's/^} callgate_options;/  int more;\n} callgate_options;/'; do
  spoil "$change"
  ! compare "$work/other.abi" || { echo "not found out: $change"; exit 1; }
done
spoil 's/^typedef struct callgate_filter callgate_filter;/&\nCALLGATE_API int callgate_more(int number);/'
compare "$work/other.abi" || { cat "$work/words"; echo "a new function is taken for a break"; exit 1; }
echo "$(grep -c '<function-decl' "$work/now.abi") functions: what was compiled with a release goes on"
