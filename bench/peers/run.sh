#!/usr/bin/env bash
# The interpreters of gVisor and of x/net/bpf, from Debian's packages, on the benchmarks' filters and calls, in a
# process of their own; every verdict is compared first. Writes what bench/report.py reads.
#   bench/peers/run.sh BUILD OUT.json [SECONDS]    packages: golang-go golang-gvisor-gvisor-dev golang-golang-x-net-dev
set -euo pipefail
if [ $# -lt 2 ]; then sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
build=$(realpath "$1") out=$2 seconds=${3-0.7}
command -v go >/dev/null || { echo "run.sh: there is no go: install golang-go" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$build/bench/callgate_write_filters" "$folder" >/dev/null
GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="$folder/cache" GOFLAGS='' \
  go build -o "$folder/peers" "$(dirname "$0")/main.go"
"$folder/peers" "$folder" "$seconds" >"$out.part"
mv "$out.part" "$out"
