#!/bin/bash
# Starts the installed systemd as PID 1 of namespaces of its own, with nothing but some services, and saves the
# filters of their main processes: how filters/systemd-252/x86_64 was made. As root, outside of any filter:
#
#     corpus/filters/capture_systemd.sh corpus/profiles/systemd OUT
#
# The machine's files are read-only there, /etc is a copy, /run, /var and /tmp are empty. Needs cc and a cgroup2
# hierarchy that is mounted somewhere.
set -eu

if [ "${1:-}" = --inside ]; then # in the new namespaces, on the way to systemd
  units=$2
  mount -t proc proc /proc
  mount -t tmpfs tmpfs /run
  mkdir -p /run/etc /run/systemd/system
  cp -a /etc/. /run/etc/
  rm -rf /run/etc/systemd/system/*
  echo 0123456789abcdef0123456789abcdef > /run/etc/machine-id
  mount --bind /run/etc /etc
  cp -r "$units"/* /run/systemd/system/
  { printf '[Unit]\nDefaultDependencies=no\nWants='; cd "$units" && echo *.service; } > /run/systemd/system/lab.target
  touch /run/console
  mount --bind /run/console /dev/console
  mount -t tmpfs tmpfs /var
  umount -R /sys/fs/cgroup 2> /dev/null || true
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  mount -o bind,ro /proc/sys /proc/sys
  mount -o remount,bind,ro /
  mount -t tmpfs tmpfs /tmp
  exec env -i PATH="$PATH" container=lab /lib/systemd/systemd --system --unit=lab.target --log-target=console --show-status=no
fi

units=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
work=$(mktemp -d)
group=$(findmnt -n -o TARGET -t cgroup2 | head -1)/callgate-lab
manager=
end() {
  [ -z "$manager" ] || kill -9 "$manager" 2> /dev/null || true
  wait
  for _ in 1 2 3 4 5; do
    find "$group" -depth -type d -exec rmdir {} + 2> /dev/null && break
    sleep 0.2
  done
  rm -rf "$work"
}
trap end EXIT

cat > "$work/dump.c" << 'C'
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
int main(int count, char **argument) { /* PID PREFIX: writes PREFIX-00.bpf, the oldest, and so on */
  static struct sock_filter program[65536];
  const int pid = count == 3 ? atoi(argument[1]) : 0;
  if (pid == 0 || ptrace(PTRACE_SEIZE, pid, 0, 0) != 0 || ptrace(PTRACE_INTERRUPT, pid, 0, 0) != 0) return 1;
  waitpid(pid, NULL, __WALL);
  for (long i = 0;; ++i) {
    const long length = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, (void *)i, program);
    if (length < 0) return 0;
    char name[4096];
    snprintf(name, sizeof name, "%s-%02ld.bpf", argument[2], i);
    FILE *file = fopen(name, "wb");
    if (file == NULL || fwrite(program, sizeof *program, length, file) != (size_t)length || fclose(file) != 0) return 1;
  }
}
C
sed -i 's/PTRACE_SECCOMP_GET_FILTER/0x420c/' "$work/dump.c" # which older headers do not have
cc -O1 -o "$work/dump" "$work/dump.c"

mkdir "$group"
( echo $BASHPID > "$group/cgroup.procs"
  exec unshare --fork --kill-child --pid --mount --cgroup --uts --ipc --net --propagation private \
    "$(realpath "$0")" --inside "$units" ) > "$work/log" 2>&1 &
manager=$!
sleep "${CAPTURE_SECONDS:-8}" # the services start
for unit in "$units"/*.service; do
  name=$(basename "$unit" .service)
  process=$(head -1 "$group/system.slice/$name.service/cgroup.procs" 2> /dev/null || true)
  if [ -n "$process" ] && "$work/dump" "$process" "$out/$name"; then
    echo "$name: $(find "$out" -maxdepth 1 -name "$name-*.bpf" | wc -l) filters"
  else
    echo "$name: no process"
  fi
done
