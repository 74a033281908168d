#!/bin/sh
# run.sh TARGET...: installs what is missing on a bare Debian 12, then runs make TARGET.
# The two that the README names:  tools/run.sh demo  and  tools/run.sh check
set -eu
cd "$(dirname "$0")/.."
for t in "$@"; do
	case $t in
	check | check-full | lint) tools/need.sh build check ;;
	demo) tools/need.sh build demo ;;
	bench) tools/need.sh build bench ;;
	*) tools/need.sh build ;;
	esac
done
exec make -j"$(nproc)" "$@"
