#!/bin/sh
# report_test.sh BENCHMARK GROWTH PYTHON: tables, a page and curves of short runs; what is no such file is refused.
set -eu
here=$(dirname "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" --benchmark_filter='demo5|check/args' --benchmark_min_time=0.001 --benchmark_out="$folder/bench.json" \
  >/dev/null 2>&1
"$3" "$here/report.py" "$folder/bench.json" >"$folder/tables"
grep -q '^One verdict, one call at a time' "$folder/tables"
grep -q '^  demo5 traced  *[0-9]' "$folder/tables"
grep -q 'decoded on linear, traced: times as fast as libpcap: at least 5; not measured' "$folder/tables"
"$3" "$here/report.py" "$folder/bench.json" --html "$folder/bench.html"
grep -q '<svg' "$folder/bench.html"
"$2" --benchmark_filter='/(1|4)$' --benchmark_min_time=0.001 --benchmark_out="$folder/growth.json" \
  >/dev/null 2>&1
"$3" "$here/report.py" "$folder/growth.json" --curves "$folder/growth.svg"
grep -q '^<svg xmlns.*Memory once prepared: stacks.*polyline' "$folder/growth.svg"
"$3" "$here/report.py" "$folder/bench.json" "$folder/growth.json" --html "$folder/bench.html"
grep -q 'One verdict: tests of arguments' "$folder/bench.html"
if "$3" "$here/report.py" "$folder/bench.json" --curves "$folder/none.svg" 2>"$folder/error"; then exit 1; fi
grep -q 'holds nothing of growth_bench' "$folder/error"
echo '{}' >"$folder/other.json"
if "$3" "$here/report.py" "$folder/other.json" 2>"$folder/error"; then exit 1; fi
grep -q 'not what Google Benchmark writes' "$folder/error"
