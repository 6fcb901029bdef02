#!/bin/bash -eu
# Builds the fuzz targets as OSS-Fuzz asks for it: with its compilers and flags ($CC, $CXX, $CFLAGS,
# $CXXFLAGS), its engine ($LIB_FUZZING_ENGINE), into $OUT. Run in the source tree.
# fuzz/oss-fuzz/play.sh plays all of that here.

source=$PWD
build=$WORK/callgate

# yaml-cpp is compiled with the same C++ library where its source is there (the Dockerfile puts it); else
# the system's is taken.
yaml=$WORK/yaml-cpp
if [ -d "$SRC/yaml-cpp" ]; then
  cmake -S "$SRC/yaml-cpp" -B "$yaml/build" -G Ninja -DCMAKE_BUILD_TYPE=None -DYAML_BUILD_SHARED_LIBS=OFF \
    -DYAML_CPP_BUILD_TESTS=OFF -DYAML_CPP_BUILD_TOOLS=OFF -DCMAKE_INSTALL_PREFIX="$yaml/root" \
    -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_CXX_FLAGS="$CXXFLAGS"
  cmake --build "$yaml/build" --target install
fi

# fmt is compiled in: the system's library has another C++ library's names. No library but the
# C library and the compiler's may be left, since only $OUT goes to where the targets run.
cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=None -DBUILD_TESTING=OFF \
  -DCMAKE_C_COMPILER="$CC" -DCMAKE_C_FLAGS="$CFLAGS" \
  -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_CXX_FLAGS="$CXXFLAGS -DFMT_HEADER_ONLY" \
  -DCMAKE_EXE_LINKER_FLAGS=-Wl,--as-needed -DCMAKE_PREFIX_PATH="$yaml/root" \
  -DCALLGATE_WERROR=OFF -DCALLGATE_FUZZ_ENGINE="$LIB_FUZZING_ENGINE"
cmake --build "$build" --target callgate_fuzz_targets callgate_fuzz_seeds

made=$build/campaign
rm -rf "$made"
ASAN_OPTIONS=detect_leaks=0 "$build/fuzz/callgate_fuzz_seeds" "$source" "$made" --all
for dictionary in "$made"/fuzz_*.dict; do
  target=$(basename "$dictionary" .dict)
  cp "$build/fuzz/$target" "$dictionary" "$made/$target.options" "$OUT/"
  rm -f "$OUT/${target}_seed_corpus.zip"
  zip -q -j -r "$OUT/${target}_seed_corpus.zip" "$made/seeds/${target#fuzz_}"
done
