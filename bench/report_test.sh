#!/bin/sh
# report_test.sh BENCHMARK PYTHON: tables and a page of a short run; what is no such file is refused.
set -eu
here=$(dirname "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" --benchmark_filter='demo5|check/args' --benchmark_min_time=0.001 --benchmark_out="$folder/bench.json" \
  >/dev/null 2>&1
"$2" "$here/report.py" "$folder/bench.json" >"$folder/tables"
grep -q '^One verdict, one call at a time' "$folder/tables"
grep -q '^  demo5 traced  *[0-9]' "$folder/tables"
grep -q 'decoded on linear, traced: times as fast as libpcap: at least 5; not measured' "$folder/tables"
"$2" "$here/report.py" "$folder/bench.json" --html "$folder/bench.html"
grep -q '<svg' "$folder/bench.html"
echo '{}' >"$folder/other.json"
if "$2" "$here/report.py" "$folder/other.json" 2>"$folder/error"; then exit 1; fi
grep -q 'not what Google Benchmark writes' "$folder/error"
