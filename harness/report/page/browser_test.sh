#!/bin/sh
# browser_test.sh NODE CALLGATE CHROMIUM NODE_FOLDER CORPUS OUT: browser_test.mjs, or why it cannot be run.
set -eu
skip() {
  echo "skipped: $1 (./bootstrap test installs it)"
  exit 77
}
[ -x "$1" ] || skip "node is missing"
[ -x "$3" ] || skip "chromium is missing"
[ -d "$4/node_modules/puppeteer-core" ] || skip "puppeteer-core is missing in $4"
[ -d "$4/node_modules/axe-core" ] || skip "axe-core is missing in $4"
node=$1
shift
exec "$node" "$(dirname "$0")/browser_test.mjs" "$@"
