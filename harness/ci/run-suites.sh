#!/bin/sh
# harness/ci/run-suites.sh [SUITE...]: what a CI job does with Callgate, whatever runs it: suites, coverage, audits, and
# the files that pages of CI show. README.md here says how to use it. By the environment, lists with one entry a line,
# each a file's name or a shell's pattern:
#   CALLGATE               the command: `callgate` of PATH if not set
#   CALLGATE_SUITES        suites, beside those that are given as arguments
#   CALLGATE_AUDIT         filters and profiles to audit, each for itself
#   CALLGATE_MIN_COVERAGE  as --min-coverage takes it: 90, or branches=90,rules=100
#   CALLGATE_FAIL_ON       the least severity of a finding that fails the job: error, warning (if not set), note, never
#   CALLGATE_TEST_OPTIONS, CALLGATE_AUDIT_OPTIONS  further words for `callgate test` and `callgate audit`, one a line
#   CALLGATE_RESULTS       the folder for what is written, `results` if not set
# Written there, when there is something to write: junit.xml, results.json, coverage.lcov, coverage.cobertura.xml,
# coverage.txt, listings that those two refer to (coverage.*.lst), callgate.sarif, test.txt, audit.txt, summary.md (added to
# GITHUB_STEP_SUMMARY too, where that is set).
# Files of an earlier run are removed first.
# Exit code: 0 all well; 1 a case failed, too little is covered, or something was found; 2 wrong use, or a file cannot be read.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
callgate=${CALLGATE:-callgate}
results=${CALLGATE_RESULTS:-results}
newline='
'

stop() { echo "run-suites: $*" >&2; exit 2; }
command -v "$callgate" >/dev/null || stop "there is no command $callgate: install Callgate, or say by CALLGATE where it is"

# What is printed may hold names and reasons from files of others. GitHub would take lines such as ::set-env:: as
# commands: not those between two marks that nobody can know.
show() {
  if [ "${GITHUB_ACTIONS:-}" = true ]; then
    mark=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    printf '::stop-commands::%s\n' "$mark"
    cat "$1"
    printf '\n::%s::\n' "$mark"
  else
    cat "$1"
  fi
}

# worst CODE: the job's exit code so far; what cannot be read (2) is worse than an answer of no (1).
code=0
worst() { [ "$1" -le "$code" ] || code=$1; }

# Patterns stand for the files that they fit; one that fits none stays, and is said to be missing by the command.
set -f
IFS=$newline
# shellcheck disable=SC2086 # a list with an entry a line
set -- "$@" ${CALLGATE_SUITES:-}
options=${CALLGATE_TEST_OPTIONS:-}
audit_options=${CALLGATE_AUDIT_OPTIONS:-}
set +f
# shellcheck disable=SC2048,SC2086 # patterns
set -- $*
set -f
[ $# -gt 0 ] || [ -n "${CALLGATE_AUDIT:-}" ] || stop "nothing to do: give suites as arguments or by CALLGATE_SUITES, or filters by CALLGATE_AUDIT"

mkdir -p "$results" || stop "the results have no place in $results"
for name in junit.xml results.json coverage.lcov coverage.cobertura.xml coverage.txt github.txt callgate.sarif test.txt \
  audit.txt summary.md; do
  rm -f "$results/$name"
done
find "$results" -maxdepth 1 -name 'coverage.*.lst' -exec rm -f {} +
summary=$results/summary.md
echo "## Callgate" >"$summary" || stop "nothing can be written into $results"

# fenced FILE: its first lines as they are; no text can end the fence.
fenced() {
  printf '\n<details><summary>%s</summary>\n\n' "$2"
  head -n 300 "$1" | cut -c 1-400 | sed 's/^/    /'
  [ "$(wc -l <"$1")" -le 300 ] || printf '\n%s lines in all, in the artifact.\n' "$(wc -l <"$1")"
  printf '\n</details>\n'
}

if [ $# -gt 0 ]; then
  code_of_test=0
  # shellcheck disable=SC2086 # a list with an entry a line
  "$callgate" test --quiet --report "junit=$results/junit.xml" --report "json=$results/results.json" \
    --report "github=$results/github.txt" --coverage "lcov=$results/coverage.lcov" \
    --coverage "cobertura=$results/coverage.cobertura.xml" --coverage "text=$results/coverage.txt" \
    ${CALLGATE_MIN_COVERAGE:+"--min-coverage=$CALLGATE_MIN_COVERAGE"} $options -- "$@" >"$results/test.txt" 2>&1 ||
    code_of_test=$?
  # A signal's death, too, is no answer.
  [ "$code_of_test" -le 2 ] || { echo "callgate test ended with $code_of_test" >>"$results/test.txt"; code_of_test=2; }
  worst "$code_of_test"
  show "$results/test.txt"
  # The marks beside lines of a change are commands that the command wrote itself, with all else in them escaped.
  if [ "${GITHUB_ACTIONS:-}" = true ] && [ -s "$results/github.txt" ]; then
    grep '^::' "$results/github.txt" || true
  fi
  rm -f "$results/github.txt"
  {
    case $code_of_test in
      0) printf '\n**Suites: all well.** ' ;;
      1) printf '\n**Suites: failed.** ' ;;
      *) printf '\n**Suites: could not be run.** ' ;;
    esac
    tail -n 1 "$results/test.txt" | sed 's/[][<>&*_`|\\!]/\\&/g'
    fenced "$results/test.txt" "callgate test"
    [ ! -s "$results/coverage.txt" ] || fenced "$results/coverage.txt" "coverage"
  } >>"$summary"
fi

if [ -n "${CALLGATE_AUDIT:-}" ]; then
  set +f
  # shellcheck disable=SC2086 # patterns, one a line
  set -- $CALLGATE_AUDIT
  set -f
  parts=$results/.sarif
  rm -rf "$parts"
  mkdir "$parts"
  : >"$results/audit.txt"
  number=0
  code_of_audit=0
  for filter in "$@"; do
    number=$((number + 1))
    # As text for people, as SARIF for pages: the same findings, so the same exit code.
    one=0
    printf '== %s\n' "$filter" >>"$results/audit.txt"
    # shellcheck disable=SC2086 # a list with an entry a line
    "$callgate" audit -f "$filter" --fail-on "${CALLGATE_FAIL_ON:-warning}" $audit_options >>"$results/audit.txt" 2>&1 || one=$?
    part=$parts/$(printf '%06d' "$number").sarif
    # shellcheck disable=SC2086
    "$callgate" audit -f "$filter" --fail-on never $audit_options --format sarif >"$part" 2>/dev/null || true
    [ -s "$part" ] || rm -f "$part"
    [ "$one" -le 2 ] || { echo "callgate audit ended with $one" >>"$results/audit.txt"; one=2; }
    [ "$one" -le "$code_of_audit" ] || code_of_audit=$one
  done
  worst "$code_of_audit"
  show "$results/audit.txt"
  # Pages of code scanning want one run of a tool in a file.
  set +f
  set -- "$parts"/*.sarif
  set -f
  if [ -f "$1" ] && [ $# -eq 1 ]; then
    mv "$1" "$results/callgate.sarif"
  elif [ -f "$1" ]; then
    if command -v python3 >/dev/null; then
      python3 "$here/merge_sarif.py" "$@" >"$results/callgate.sarif" || worst 2
    else
      echo "run-suites: python3 is missing: with several filters it puts their findings into one callgate.sarif" >&2
      worst 2
    fi
  fi
  rm -rf "$parts"
  {
    case $code_of_audit in
      0) printf '\n**Audit: nothing found that counts.**\n' ;;
      1) printf '\n**Audit: findings.**\n' ;;
      *) printf '\n**Audit: a filter could not be read.**\n' ;;
    esac
    fenced "$results/audit.txt" "callgate audit"
  } >>"$summary"
fi

if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
  cat "$summary" >>"$GITHUB_STEP_SUMMARY"
fi
exit "$code"
