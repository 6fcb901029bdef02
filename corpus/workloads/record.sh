#!/bin/bash
# Records the workloads of this folder anew, from programs of Debian, with `callgate record`:
#
#   corpus/workloads/record.sh [--install] CALLGATE OUT [NAME...]
#
# CALLGATE is the built command; NAME is web, compile, database, store, service or import, all of them where none is
# given; OUT/NAME.workload is written. With --install the packages are installed by apt-get first. Recorded is the whole
# life of a program, from its start over some seconds of load to its end, with its children. As root the database runs as
# the user postgres. Ports 18080 to 18082 of the loopback must be free.
set -eu
export LC_ALL=C
unset CMAKE_C_COMPILER_LAUNCHER CMAKE_CXX_COMPILER_LAUNCHER

here=$(cd "$(dirname "$0")" && pwd)
packages="nginx-light wrk g++ cmake ninja-build postgresql-15 redis-server redis-tools python3 sqlite3"
limit=900 # seconds: no recording takes longer

install=no
if [ "${1:-}" = --install ]; then
  install=yes
  shift
fi
if [ $# -lt 2 ]; then
  sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
callgate=$(realpath "$1")
out=$(realpath "$2")
shift 2
if [ $install = yes ]; then
  # shellcheck disable=SC2086
  apt-get install -y --no-install-recommends $packages
fi

top=$(mktemp -d)
chmod 755 "$top"
recorder=
# Ends what this script started: what is recorded ends with its recorder.
clean() {
  if [ -n "$recorder" ]; then kill "$recorder" 2>/dev/null || true; fi
  rm -rf "$top"
}
trap clean EXIT

# Starts COMMAND under the recorder, in the background.
begin() {
  "$callgate" record --follow --timeout $limit -o trace -- "$@" >record.log 2>&1 &
  recorder=$!
}

# Waits until something listens on that port, or the file is there.
until_port() {
  for _ in $(seq 600); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
    sleep 0.1
  done
  cat record.log >&2
  exit 1
}

# Runs a tool that loads the program; what it says is shown where it fails.
load() {
  "$@" >load.log 2>&1 || { cat load.log >&2; exit 1; }
}

ended() {
  wait "$recorder" || { cat record.log >&2; exit 1; }
  recorder=
}

# Writes NAME.workload: what it is, with which versions of which packages.
keep() {
  local name=$1 what=$2 versions
  shift 2
  # shellcheck disable=SC2016
  versions=$(dpkg-query -W -f='${Package} ${Version}, ' "$@")
  "$callgate" workload trace -o "$out/$name.workload" --name "$name" --note "$what" \
    --note "Debian $(cat /etc/debian_version): ${versions%, }" \
    --note "recorded by corpus/workloads/record.sh on $(date -u +%F)" --top 5
}

web() {
  cp "$here/nginx.conf" .
  mkdir www
  for size in 1 4 16 64; do head -c ${size}k /dev/zero | tr '\0' "$size" >www/$size.html; done
  begin nginx -p . -c nginx.conf -g 'daemon off;'
  until_port 18080
  load wrk -t1 -c16 -d4s http://127.0.0.1:18080/4.html
  load wrk -t1 -c8 -d3s http://127.0.0.1:18080/64.html
  load wrk -t1 -c8 -d3s -H 'Connection: close' http://127.0.0.1:18080/1.html
  load wrk -t1 -c8 -d1s http://127.0.0.1:18080/none.html
  kill -QUIT "$(cat nginx.pid)"
  ended
  keep web "nginx, two workers: small files kept alive, large files, one request a connection, files that are not there" \
    nginx-light wrk
}

compile() {
  mkdir source
  cp -r "$here/../../vm" source/vm
  {
    echo 'cmake_minimum_required(VERSION 3.25)'
    echo 'project(vm CXX)'
    echo 'add_library(vm STATIC vm/actions.cpp vm/arches.cpp vm/diagnostics.cpp vm/kernel_model.cpp vm/seccomp_data.cpp)'
    echo 'set_target_properties(vm PROPERTIES CXX_STANDARD 23)'
    echo "target_include_directories(vm PRIVATE \${PROJECT_SOURCE_DIR})"
  } >source/CMakeLists.txt
  begin sh -c 'cmake -S source -B build -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C build && ninja -C build'
  ended
  keep compile "cmake, then ninja and g++ compiling five files of vm/ and making a library, then ninja with nothing to do" \
    cmake ninja-build g++-12 binutils
}

database() {
  local bin=/usr/lib/postgresql/15/bin run=
  if [ "$(id -u)" = 0 ]; then
    chown postgres .
    run="runuser -u postgres --"
  fi
  $run $bin/initdb -D data >/dev/null
  # shellcheck disable=SC2086
  $run "$callgate" record --follow --timeout $limit -o trace -- \
    $bin/postgres -D data -c listen_addresses=127.0.0.1 -c port=18081 -c unix_socket_directories= >record.log 2>&1 &
  recorder=$!
  until $bin/pg_isready -q -h 127.0.0.1 -p 18081; do
    kill -0 "$recorder" || { cat record.log >&2; exit 1; }
    sleep 0.2
  done
  local user=postgres
  if [ -z "$run" ]; then user=$(id -un); fi
  set -- -h 127.0.0.1 -p 18081 -U "$user" postgres
  load $bin/pgbench -q -i -s 2 "$@"
  load $bin/pgbench -c 4 -T 8 "$@"
  load $bin/pgbench -c 4 -S -T 4 "$@"
  load $bin/pgbench -c 2 -C -T 2 "$@"
  kill -INT "$(head -n 1 data/postmaster.pid)"
  ended
  keep database "PostgreSQL under pgbench: tables filled, TPC-B-like transactions, selects, a connection a transaction" \
    postgresql-15
}

store() {
  mkdir data
  begin redis-server --port 18081 --bind 127.0.0.1 --dir data --appendonly yes --appendfsync everysec \
    --pidfile redis.pid --daemonize no
  until_port 18081
  load redis-benchmark -p 18081 -c 20 -n 20000 -q -t set,get,incr,lpush,lpop,sadd,hset,zadd
  load redis-benchmark -p 18081 -c 20 -n 40000 -P 8 -q -t set,get
  load redis-cli -p 18081 BGSAVE
  sleep 2
  redis-cli -p 18081 SHUTDOWN || true
  ended
  keep store "redis with an append-only file (everysec) under redis-benchmark, plain and in pipelines; a snapshot" \
    redis-server redis-tools
}

service() {
  cp "$here/service.py" .
  begin /usr/bin/python3 service.py 18082
  until_port 18082
  load wrk -t1 -c8 -d8s -s "$here/post.lua" http://127.0.0.1:18082/readings
  # The service has no end of its own: its recorder's child is it.
  kill -TERM "$(ps -o pid= --ppid "$recorder" | tr -d ' ')"
  wait "$recorder" || true
  recorder=
  keep service "a service of python3 (service.py): parses JSON, stores it with sqlite3 in a write-ahead log, a thread a connection" \
    python3.11-minimal libsqlite3-0 wrk
}

import() {
  awk 'BEGIN { for (i = 0; i < 60000; ++i) print i ",name" i % 997 "," i * 7919 % 100003 }' >rows.csv
  cat >import.sql <<'SQL'
CREATE TABLE rows (id INTEGER PRIMARY KEY, name TEXT, value INTEGER);
.mode csv
.import rows.csv rows
CREATE INDEX by_name ON rows (name, value);
SELECT name, count(*), sum(value) FROM rows GROUP BY name ORDER BY 3 DESC LIMIT 5;
DELETE FROM rows WHERE value % 3 = 0;
SQL
  # Each of these is a transaction.
  awk 'BEGIN { for (i = 0; i < 500; ++i) print "INSERT INTO rows (name, value) VALUES (\047one" i "\047, " i ");" }' \
    >>import.sql
  echo 'VACUUM;' >>import.sql
  begin sh -c 'exec sqlite3 rows.db <import.sql'
  ended
  keep import "the shell of sqlite3: rows of a CSV file imported, an index, a query, rows deleted, 500 transactions, VACUUM" sqlite3
}

for name in "${@:-}"; do
  case $name in
    '') set -- web compile database store service import ;;
    web | compile | database | store | service | import) ;;
    *) echo "record.sh: $name: no workload; see the begin of this file" >&2; exit 2 ;;
  esac
done
for name in "$@"; do
  mkdir "$top/$name"
  cd "$top/$name"
  echo "record.sh: $name" >&2
  "$name"
  cd "$top"
done
