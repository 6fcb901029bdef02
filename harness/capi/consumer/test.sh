#!/bin/sh
# Installs the build tree $2 into a fresh prefix and builds and runs a project that uses it, and the examples of
# harness/testing/README.md.
set -eu
cmake=$1 build=$2 cxx=$3 cc=$4
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
"$cmake" --install "$build" --prefix "$work/prefix" >/dev/null

# What headers include, consumers need: nothing but the standard library, and GoogleTest where it is asked for.
if grep -rE '^ *# *include *[<"](fmt|nlohmann|yaml-cpp|CLI|seccomp\.h|asmjit|capstone|z3)' "$work/prefix/include"; then
  echo "installed headers include what a consumer may not have"
  exit 1
fi
if grep -rlE '^ *# *include *<g(test|mock)/' "$work/prefix/include" | grep -v '/harness/testing/gtest\.hpp$'; then
  echo "headers that are not for GoogleTest include it"
  exit 1
fi

# And all that they include of ours is installed too.
(cd "$work/prefix/include" && find callgate -name '*.hpp' ! -path 'callgate/vm/jit/*' ! -name gtest.hpp) |
  sed 's/.*/#include <&>/' >"$work/all.cpp"
"$cxx" -std=c++23 -fsyntax-only -I "$work/prefix/include" -I "$work/prefix/include/callgate" "$work/all.cpp"

# Blocks of the page that have a name are files.
mkdir "$work/examples"
awk -v folder="$work/examples" '
  /^```[a-z]+ [a-z_]+\.[a-z]+$/ { file = folder "/" $2; next }
  /^```/ { file = "" }
  file != "" { print > file }' "$here/../../testing/README.md"

configure() {
  "$cmake" -S "$here" -DCMAKE_PREFIX_PATH="$work/prefix" -DEXAMPLES="$work/examples" "$@" >"$work/log" 2>&1 ||
    { cat "$work/log"; exit 1; }
}
configure -B "$work/build" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_C_COMPILER="$cc"
"$cmake" --build "$work/build" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
"$work/build/consumer_cpp"
"$work/build/consumer_c"
"$work/build/consumer_tools"
if [ -e "$work/prefix/include/callgate/vm/jit/jit.hpp" ]; then
  "$work/build/consumer_jit"
fi
(cd "$work/examples" && "$work/build/profile_test" && "$work/build/generator_test")
"$work/prefix/bin/callgate" --version

echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' >"$work/try.cpp"
clang++-19 -fsanitize=fuzzer -o "$work/try" "$work/try.cpp" >/dev/null 2>&1 || {
  echo "the libFuzzer example was left out: clang++-19 with libFuzzer is missing (./bootstrap test installs it)"
  exit 0
}
configure -B "$work/fuzz" -DCONSUMER_FUZZ=ON -DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_C_COMPILER=clang-19
"$cmake" --build "$work/fuzz" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
cd "$work"
fuzz/generator_fuzz -runs=20000 >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
# And it can fail.
if WRONG=1 fuzz/generator_fuzz -runs=20000 >"$work/log" 2>&1; then
  echo "the wrong filter was not found"
  exit 1
fi
grep -q 'the program returns .*, the function ' "$work/log" || { cat "$work/log"; exit 1; }
