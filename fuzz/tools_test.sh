#!/bin/sh
# Whether the committed seeds are those that callgate_fuzz_seeds makes, and whether what
# callgate_fuzz_to_vector makes of one is what the corpus reads.
#   tools_test.sh SOURCE FOLDER_OF_TOOLS COMPILER
# Random scripts come out otherwise by a compiler that evaluates arguments in another order: those that
# are committed are GNU's, and with another one the rest is compared.
set -eu
source=$1
tools=$2
compiler=$3
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

"$tools/callgate_fuzz_seeds" "$source" "$out/seeds" --seeds-only
[ "$compiler" = GNU ] || other="--exclude=random_*"
# shellcheck disable=SC2086
if ! diff -r ${other-} "$out/seeds" "$source/fuzz/seeds"; then
  echo "fuzz/seeds is stale: callgate_fuzz_seeds . fuzz/seeds --seeds-only makes it anew" >&2
  exit 1
fi
"$tools/callgate_fuzz_seeds" "$source" "$out/all" --all
for target in "$source"/fuzz/fuzz_*.cpp; do
  name=$(basename "$target" .cpp)
  grep -q '"' "$out/all/$name.dict"
  grep -q '^max_len = ' "$out/all/$name.options"
done

# A vector's case, and the vector that is made of it: the same program.
"$tools/callgate_fuzz_to_vector" engines "$source/fuzz/seeds/engines/add_k_wraps" >"$out/made.vec"
grep -q '^  add #0xffffffff$' "$out/made.vec"
grep -q '^returns: ' "$out/made.vec"
"$tools/callgate_fuzz_to_vector" fuzz_stack "$source/fuzz/seeds/stack/all_filters_run_after_a_kill" |
  grep -q '^verdict: KILL_PROCESS(1) winner 0$'
"$tools/callgate_fuzz_to_vector" check_and_run \
  "$source/fuzz/seeds/check_and_run/all_that_is_wrong_is_said" | grep -q '^refused: EINVAL$'
if "$tools/callgate_fuzz_to_vector" no_such_target "$out/made.vec" 2>/dev/null; then exit 1; fi
