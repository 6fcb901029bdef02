#!/bin/sh
# api_reference_test.sh DOXYFILE: doxygen has no warning of the public headers; and would have one of a header with
# a reference that leads nowhere.
set -eu
doxyfile=$1
if ! command -v doxygen >/dev/null; then
  echo "[  SKIPPED ] doxygen is missing (./bootstrap test installs it)"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
# The later of two lines of one name counts.
{ cat "$doxyfile"; echo "OUTPUT_DIRECTORY = $work"; } >"$work/Doxyfile"
if ! doxygen "$work/Doxyfile" >"$work/log" 2>&1; then
  cat "$work/log"
  echo "the comments above are to be mended: what they name is not there, or is no command of doxygen"
  exit 1
fi
printf '/// What \\ref nobody_knows says.\nint wrong(int number);\n' >"$work/wrong.hpp"
echo "INPUT = $work/wrong.hpp" >>"$work/Doxyfile"
if doxygen "$work/Doxyfile" >"$work/log" 2>&1 || ! grep -q nobody_knows "$work/log"; then
  cat "$work/log"
  echo "a reference that leads nowhere was not found"
  exit 1
fi
