#!/usr/bin/env bash
# Plays OSS-Fuzz's part on this machine: build.sh with an engine, then each target for some seconds on
# its own corpus, dictionary and options. The last line says how it went; exit code 1 where anything
# is missing or found, 2 for wrong use.
#   fuzz/oss-fuzz/play.sh libfuzzer|afl [SECONDS [TARGET...]]
# libfuzzer: clang 19, ASan with UBSan, and libstdc++ (OSS-Fuzz has libc++): Debian's libFuzzer is
# linked with that.
# afl: AFL++ of Debian 12 over clang 19, whose own coverage it takes (its passes are for clang 14, which
# cannot compile this project).
#   CALLGATE_PLAY   the folder to build in; build/oss-fuzz if not set
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
usage() { sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2; }
engine=${1-}
seconds=${2-10}
case $engine in libfuzzer | afl) ;; *) usage ;; esac
case $seconds in '' | *[!0-9]*) usage ;; esac
shift $(($# < 2 ? $# : 2))
only="$*"

play=${CALLGATE_PLAY-$PWD/build/oss-fuzz}/$engine
export SRC=$PWD WORK=$play/work OUT=$play/out ARCHITECTURE=x86_64 FUZZING_ENGINE=$engine
mkdir -p "$WORK" "$OUT" && rm -rf "${OUT:?}"/* "$play/found"
mkdir -p "$play/found"

common="-O1 -fno-omit-frame-pointer -gline-tables-only -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION"
case $engine in
  libfuzzer)
    sanitizers="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fsanitize=fuzzer-no-link"
    export CC=clang-19 CXX=clang++-19 SANITIZER=address LIB_FUZZING_ENGINE=-fsanitize=fuzzer
    export CFLAGS="$common $sanitizers" CXXFLAGS="$common $sanitizers"
    ;;
  afl)
    export CC=afl-clang-fast CXX=afl-clang-fast++ AFL_CC=clang-19 AFL_CXX=clang++-19
    export AFL_LLVM_INSTRUMENT=LLVM-NATIVE AFL_QUIET=1 SANITIZER=none
    LIB_FUZZING_ENGINE=$(find /usr/lib/afl /usr/local/lib/afl -name libAFLDriver.a -print -quit 2>/dev/null)
    export LIB_FUZZING_ENGINE CFLAGS="$common" CXXFLAGS="$common"
    [ -n "$LIB_FUZZING_ENGINE" ] || { echo "play.sh: no libAFLDriver.a: install afl++" >&2; exit 2; }
    ;;
esac
for tool in "$CC" "$CXX" cmake ninja zip unzip; do
  command -v "$tool" >/dev/null || { echo "play.sh: $tool is not installed" >&2; exit 2; }
done

failed=0
say() { printf '%-8s%s\n' "$1" "$2"; }
wrong() { failed=$((failed + 1)); say FAILED "$1"; }

if ! bash -eu fuzz/oss-fuzz/build.sh >"$play/build.log" 2>&1; then
  tail -n 40 "$play/build.log"
  say FAILED "build.sh with $engine"
  echo "play.sh $engine: the build failed"
  exit 1
fi
say ok "build.sh with $engine"

# What one target needs beside itself.
whole() {
  local target=$1
  unzip -tq "$OUT/${target}_seed_corpus.zip" >/dev/null || { wrong "$target: its corpus"; return 1; }
  if ! [ -s "$OUT/$target.dict" ] || ! [ -s "$OUT/$target.options" ]; then
    wrong "$target: dictionary, options"
    return 1
  fi
  local libraries
  libraries=$(ldd "$OUT/$target" | grep -oE 'lib(fmt|seccomp|yaml-cpp|benchmark)[^ ]*' | tr '\n' ' ')
  [ -z "$libraries" ] || { wrong "$target: needs $libraries, which only this machine has"; return 1; }
}

# Runs one for its seconds; a number of executions on standard output.
run_libfuzzer() {
  local target=$1 corpus=$2 log=$3
  local options
  options=$(sed -n 's/^\([a-z_]*\) = \([0-9]*\)$/-\1=\2/p' "$OUT/$target.options")
  # shellcheck disable=SC2086
  "$OUT/$target" $options -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2560 \
    -dict="$OUT/$target.dict" -artifact_prefix="$play/found/$target-" -print_final_stats=1 \
    "$corpus" >"$log" 2>&1 || return 1
  sed -n 's/^stat::number_of_executed_units: *//p' "$log"
}
run_afl() {
  local target=$1 corpus=$2 log=$3 out=$play/found/$1
  AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
    AFL_IGNORE_SEED_PROBLEMS=1 AFL_FAST_CAL=1 timeout $((seconds * 10 + 120)) \
    afl-fuzz -V "$seconds" -t 10000 -m none -x "$OUT/$target.dict" -i "$corpus" -o "$out" \
    -- "$OUT/$target" >"$log" 2>&1 || return 1
  grep -q '^saved_crashes *: 0$' "$out/default/fuzzer_stats" || return 1
  sed -n 's/^execs_done *: //p' "$out/default/fuzzer_stats"
}

count=0
for dictionary in "$OUT"/fuzz_*.dict; do
  target=$(basename "$dictionary" .dict)
  [ -z "$only" ] || [[ " $only " == *" ${target#fuzz_} "* ]] || continue
  count=$((count + 1))
  whole "$target" || continue
  corpus=$play/corpus/$target
  rm -rf "$corpus" && mkdir -p "$corpus"
  unzip -q -o "$OUT/${target}_seed_corpus.zip" -d "$corpus"
  seeds=$(find "$corpus" -type f | wc -l)
  log=$play/$target.log
  if runs=$("run_$engine" "$target" "$corpus" "$log") && [ "${runs:-0}" -gt 0 ]; then
    skipped=$(grep -m 1 -ohE 'cannot be asked: .*' "$log" || true)
    say ok "$target: $seconds s, $runs runs from $seeds seeds${skipped:+; the kernel $skipped}"
  else
    tail -n 30 "$log"
    wrong "$target: see $log and $play/found"
  fi
done
echo "play.sh $engine: $count targets, $failed failed"
[ "$failed" -eq 0 ] && [ "$count" -gt 0 ]
