#!/bin/bash
# A slice of gcc's execute tests (every 10th, -O2) for every guest, by the JIT.  TORTURE_EVERY, TORTURE_LEVELS and
# TORTURE_WORK say more (see tests/torture.sh); the test source is fetched with apt when it is not there.
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")/.." && pwd)
dragoman=${DRAGOMAN:-$B/dragoman}
export TORTURE_WORK=${TORTURE_WORK:-$B/torture} TORTURE_EVERY=${TORTURE_EVERY:-10}
export TORTURE_TMO=${TORTURE_TMO:-30} TORTURE_JOBS=${TORTURE_JOBS:-$(nproc)}
src=$TORTURE_WORK/src/gcc-12.2.0/gcc/testsuite/gcc.c-torture/execute
p=0 f=0 k=0
ulimit -c 0
mkdir -p "$TORTURE_WORK"
if [ ! -d "$src" ] && [ ! -e /usr/src/gcc-12/gcc-12.2.0-dfsg.tar.xz ] &&
	! (cd "$TORTURE_WORK" && apt-get download --print-uris gcc-12-source 2>/dev/null | grep -q gcc-12-source); then
	echo "SKIP gcc torture: no test source here, and apt knows no gcc-12-source"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
for g in ${GUEST:-aarch64 riscv64}; do
	if ! command -v $g-linux-gnu-gcc >/dev/null; then
		echo "SKIP $g: no $g-linux-gnu-gcc"
		k=$((k + 1))
		continue
	fi
	# shellcheck disable=SC2086
	out=$("$here/torture.sh" "$dragoman" $g ${TORTURE_LEVELS:--O2} 2>&1)
	if grep -q '^no test source' <<<"$out"; then
		echo "SKIP gcc torture: the test source cannot be fetched: $(tail -2 <<<"$out" | head -1)"
		k=$((k + 1))
		break
	fi
	echo "$out"
	grep 'FAIL' <<<"$out" | sed "s/^/FAIL $g /"
	read -r gp _ gf _ <<<"$(tail -1 <<<"$out")"
	case $gp in '' | *[!0-9]*) echo "FAIL $g: torture.sh did not finish: $(tail -1 <<<"$out")"; gp=0 gf=1 ;; esac
	p=$((p + gp)) f=$((f + gf))
done
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
