#!/bin/sh
# A test of type `basic` may be a script: it is run in its own folder.
test -r script.sh
