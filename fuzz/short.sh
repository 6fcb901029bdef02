#!/usr/bin/env bash
# Runs each libFuzzer target of a build for some seconds, from its seeds, with its dictionary and options.
# The last line says how it went; exit code 1 where anything was found, 2 for wrong use.
#   fuzz/short.sh BUILD [SECONDS [TARGET...]]      BUILD: a folder of the preset fuzz or asan
# Those that ask the running kernel run one at a time, the others as many as there are processors.
set -uo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)
usage() { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
build=${1-}
seconds=${2-10}
case $seconds in '' | *[!0-9]*) usage ;; esac
[ -x "$build/fuzz/callgate_fuzz_seeds" ] || usage
shift $(($# < 2 ? $# : 2))
only="$*"

work=$build/short
rm -rf "$work" && mkdir -p "$work/found"
ASAN_OPTIONS=detect_leaks=0 "$build/fuzz/callgate_fuzz_seeds" "$source" "$work/campaign" --all || exit 1

# run TARGET: a line of how it went; fails where it found something.
run() {
  local target=$1 log=$work/$1.log
  local -a options
  mapfile -t options < <(sed -n 's/^\([a-z_]*\) = \([0-9]*\)$/-\1=\2/p' "$work/campaign/$target.options")
  if "$build/fuzz/$target" "${options[@]}" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2560 \
    -dict="$work/campaign/$target.dict" -artifact_prefix="$work/found/$target-" -print_final_stats=1 \
    "$work/campaign/seeds/${target#fuzz_}" >"$log" 2>&1; then
    local runs
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    if [ "${runs:-0}" -gt 0 ]; then
      printf 'ok      %s: %s s, %s runs\n' "$target" "$seconds" "$runs"
      return 0
    fi
  fi
  tail -n 30 "$log"
  printf 'FAILED  %s: see %s and %s\n' "$target" "$log" "$work/found"
  return 1
}

count=0
failed=0
running=0
wait_for_one() {
  wait -n || failed=$((failed + 1))
  running=$((running - 1))
}
for kind in Alone Live; do
  at_once=1
  [ "$kind" = Live ] || at_once=$(nproc)
  mapfile -t names < <(sed -n "s/^FUZZ_TARGET(\([a-z_]*\), *[A-Za-z]*, *[0-9]*, *$kind,.*/\1/p" "$source/fuzz/targets.def")
  for name in "${names[@]}"; do
    [ -z "$only" ] || [[ " $only " == *" $name "* ]] || continue
    count=$((count + 1))
    while [ "$running" -ge "$at_once" ]; do wait_for_one; done
    run "fuzz_$name" &
    running=$((running + 1))
  done
  while [ "$running" -gt 0 ]; do wait_for_one; done
done
echo "short.sh: $count targets, $failed failed"
[ "$failed" -eq 0 ] && [ "$count" -gt 0 ]
