#!/bin/bash
# userland.sh DRAGOMAN ROOT [PATTERN]: Debian's foreign programs, unpacked to ROOT (tools/rootfs.sh), doing real work;
# every result is compared with what the host's own tools or arithmetic say.
#   RUNS=100 tests/userland.sh ... '*thread*'   repeats each matching case; all runs must agree
#   SETS="debian runtimes"                      files of tests/userland: which cases (debian)
# Prints one line a case and "N passed, N failed, N skipped".
set -u
here=$(cd "$(dirname "$0")" && pwd)
dragoman=$1 root=$(cd "$2" && pwd) pattern=${3:-*} runs=${RUNS:-1}
p=0 f=0 k=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
ulimit -c 0
export LC_ALL=C HOME=$tmp PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
run() { # program of the root, arguments
	local prog=$1
	shift
	timeout "${TMO:-300}" $dragoman -L "$root" "$root/usr/bin/$prog" "$@"
}
# t NAME PROGRAM EXPECTED SHELLCODE: skipped without the program; output of the code must be EXPECTED
t() {
	local name=$1 prog=$2 want=$3 got rc i
	shift 3
	# shellcheck disable=SC2053
	[[ $name == $pattern ]] || return 0
	[ -e "$root/usr/bin/$prog" ] || { echo "SKIP $name: no $prog in $root"; k=$((k + 1)); return; }
	for ((i = 0; i < runs; i++)); do
		rm -rf "$tmp/w"; mkdir "$tmp/w"
		got=$(cd "$tmp/w" && "$@" 2>"$tmp/err")
		rc=$?
		if [ "$got" != "$want" ]; then
			f=$((f + 1))
			echo "FAIL $name (run $((i + 1)), exit $rc): got '$(head -c 200 <<<"$got")' expected '$(head -c 200 <<<"$want")'; $(tail -3 "$tmp/err" | head -c 300)"
			return
		fi
	done
	p=$((p + 1))
	echo "ok   $name"
}
for set in ${SETS:-debian}; do
	# shellcheck source=/dev/null
	. "$here/userland/$set.sh"
done
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
