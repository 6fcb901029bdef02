#!/bin/sh
# harness/ci/audit-each.sh [OPTION...] FILE...: `callgate audit` for each file by itself, where -f would make one stack of
# them; for .pre-commit-hooks.yaml. Options end at the first word that does not begin with -, so that one with a value is
# written as --fail-on=error. Exit code: the worst of all.
set -uf
IFS='
'
options=
while [ $# -gt 0 ]; do
  case $1 in -?*) options="$options$IFS$1" ;; *) break ;; esac
  shift
done
code=0
for file in "$@"; do
  echo "== $file"
  one=0
  # shellcheck disable=SC2086 # a list with a word a line
  "${CALLGATE:-callgate}" audit -f "$file" $options || one=$?
  [ "$one" -le "$code" ] || code=$one
done
exit "$code"
