#!/bin/bash
# check.sh BUILD: every test that `make check` runs, in the order of what depends on what.
# Each part prints what it did; the last line is "N passed, N failed, N skipped".
set -u
# nothing of make's own: its job server's descriptors would count in the tests' limits
unset MAKEFLAGS MFLAGS MAKELEVEL
for fd in 3 4 5 6 7 8 9; do eval "exec $fd>&-"; done
# one seed for all random tests, so that a change is judged by what it changed; CHECK_SEED=$RANDOM
# looks elsewhere
export CHECK_SEED=${CHECK_SEED:-20261120}
# translations are kept below the build directory, not in the home of who tests
export DRAGOMAN_CACHE=${DRAGOMAN_CACHE:-$(realpath -m "$1")/cache}
export SEED=$CHECK_SEED DRAGOMAN_SEED=$CHECK_SEED ISA_SEED=$CHECK_SEED
B=$1 here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
passed=0 failed=0 skipped=0
fail() { echo "FAIL $*"; failed=$((failed + 1)); }
pass() { passed=$((passed + 1)); }
skip() { echo "SKIP $*"; skipped=$((skipped + 1)); }
part() { # name, command...: one test that is a command
	local name=$1 log
	shift
	log=$B/log.$name
	if "$@" >"$log" 2>&1; then
		pass
		echo "ok   $name: $(tail -1 "$log")"
	else
		fail "$name (exit $?):"
		tail -25 "$log"
	fi
}

mkdir -p "$B"
rm -f "$B"/log.* "$B/check.total"
# a store of their own, empty: most tests run both what is translated and what is found there
DRAGOMAN_CACHE=$(cd "$B" && pwd)/cache
export DRAGOMAN_CACHE
rm -rf "$DRAGOMAN_CACHE"
part lint make -s B="$B" lint
echo "building"
make -s -j"$(nproc)" B="$B" all static tests >"$B/log.build" 2>&1 || { grep -E 'error|\*\*\*' "$B/log.build" | head -30; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
if grep -E '^[^ ]+:[0-9]+:.*warning:' "$B/log.build"; then fail "the build has warnings"; else pass; fi
for t in "$B"/tests/*/test_*; do
	case $t in *.d) continue ;; esac
	part "$(basename "$(dirname "$t")")-$(basename "$t")" timeout 300 "$t"
done
for s in "$here"/check.d/*.sh; do
	[ -e "$s" ] || continue
	name=$(basename "$s" .sh)
	echo "== $name"
	timeout "${CHECK_TIMEOUT:-900}" "$s" "$B" >"$B/log.$name" 2>&1
	rc=$?
	grep -E '^(FAIL|SKIP)' "$B/log.$name" | head -40
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$B/log.$name" | tail -1)
	if [ -z "$last" ]; then
		fail "$name did not finish (exit $rc): $(tail -3 "$B/log.$name")"
		continue
	fi
	echo "     $last"
	read -r p _ f _ k _ <<<"${last//,/} 0 skipped"
	passed=$((passed + p)) failed=$((failed + f))
	case $last in *skipped*) skipped=$((skipped + k)) ;; esac
done
echo "$passed passed, $failed failed, $skipped skipped" | tee "$B/check.total"
[ "$failed" = 0 ]
