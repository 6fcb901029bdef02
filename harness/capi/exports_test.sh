#!/bin/sh
# Fails when the shared library gives out any symbol that is not callgate_*.
set -eu
others=$(nm -D --defined-only "$1" | awk '$2 != "A" {print $3}' | sed 's/@.*//' |
         grep -v '^callgate_' || true)
[ -z "$others" ] || { echo "also exported: $others"; exit 1; }
nm -D --defined-only "$1" | grep -q ' callgate_stack_run' || { echo "callgate_stack_run is missing"; exit 1; }
