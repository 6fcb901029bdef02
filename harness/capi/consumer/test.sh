#!/bin/sh
# Installs the build tree $2 into a fresh prefix and builds and runs a project that uses it.
set -eu
cmake=$1 build=$2 cxx=$3 cc=$4
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
"$cmake" --install "$build" --prefix "$work/prefix" >/dev/null
"$cmake" -S "$here" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_C_COMPILER="$cc" >"$work/log" || { cat "$work/log"; exit 1; }
"$cmake" --build "$work/build" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
"$work/build/consumer_cpp"
"$work/build/consumer_c"
if [ -e "$work/prefix/include/callgate/vm/jit/jit.hpp" ]; then
  "$work/build/consumer_jit"
fi
"$work/prefix/bin/callgate" --version
