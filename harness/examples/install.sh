#!/bin/sh
# install.sh CMAKE BUILD PREFIX: installs what programs are built with and run with into PREFIX, which is emptied before.
set -eu
cmake=$1 build=$2 prefix=$3
rm -rf "$prefix"
for component in library development; do
  "$cmake" --install "$build" --prefix "$prefix" --component "$component" >/dev/null
done
# Folders without a header are of no use to anybody.
empty=$(find "$prefix" -type d -empty)
[ -z "$empty" ] || { echo "installed, and empty: $empty"; exit 1; }
