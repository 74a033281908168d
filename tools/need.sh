#!/bin/sh
# need.sh PURPOSE...: installs the Debian packages that tools/packages lists for each purpose and
# that are missing; where that needs root and we are not, prints the line to run and fails.
set -eu
here=$(dirname "$0")
want=
for p in "$@"; do
	want="$want $(sed -n "s/^$p[[:space:]]*//p" "$here/packages")"
done
missing=
for p in $want; do
	dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
# shellcheck disable=SC2086
if [ "$(id -u)" = 0 ]; then
	echo "need: installing$missing" >&2
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends $missing >&2
else
	echo "need: missing packages; run:  sudo apt-get install --no-install-recommends$missing" >&2
	exit 1
fi
