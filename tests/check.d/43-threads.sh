#!/bin/bash
# Threads: the guest's memory model under each way of running code (LITMUS_ROUNDS a test), and code that changes while the code
# area is emptied under the threads that run it.  Expects the programs of 10-prog.sh to be built.
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")/.." && pwd)
dragoman=${DRAGOMAN:-$B/dragoman}
export LITMUS_ROUNDS=${LITMUS_ROUNDS:-100000}
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
p=0 f=0 k=0
fail() { echo "FAIL $*"; f=$((f + 1)); }
for g in ${GUEST:-aarch64 riscv64}; do
	exe=$B/prog/$g-static
	[ -x "$exe-thr_litmus" ] && [ -x "$exe-thr_dual" ] || { echo "SKIP $g: tests/check.d/10-prog.sh has not built it"; k=$((k + 1)); continue; }
	rounds=0
	for s in "" "--single" "-d nochain -D /dev/null" "--host-off avx512,avx2,avx,bmi2"; do
		# shellcheck disable=SC2086
		timeout 3000 "$dragoman" $s "$exe-thr_litmus" >"$W/out" 2>&1
		if cmp -s "$W/out" "$here/prog/thr_litmus.out"; then
			p=$((p + 1)) rounds=$((rounds + LITMUS_ROUNDS))
		else
			fail "$g thr_litmus ${s:-no switch}: $(diff "$here/prog/thr_litmus.out" "$W/out" | head -3)"
		fi
	done
	echo "summary $g litmus $(wc -l <"$here/prog/thr_litmus.out") tests, $rounds rounds each"
	out=$(timeout 100 "$dragoman" --cache off --code-size 1 -d stats -D "$W/stats" "$exe-thr_dual" 2>&1)
	e=$(sed -n 's/^ *\([0-9]*\) times the code area was emptied$/\1/p' "$W/stats")
	if [ "$out" = ok ] && [ "${e:-0}" -gt 0 ]; then p=$((p + 1)); else fail "$g thr_dual: $out; the code area was emptied ${e:-?} times"; fi
done
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
