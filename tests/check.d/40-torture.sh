#!/bin/bash
# gcc's execute tests for every guest, by the JIT, every other build without its quick tier: each build takes another slice
# of them, or all with TORTURE_EVERY=1.  TORTURE_BUILDS, TORTURE_TEST and TORTURE_WORK say more (see tests/torture.sh); the test source is fetched with apt when it is
# not there.
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")/.." && pwd)
dragoman=${DRAGOMAN:-$B/dragoman}
export TORTURE_WORK=${TORTURE_WORK:-$B/torture} TORTURE_EVERY=${TORTURE_EVERY:-40}
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
	n=0
	for o in ${TORTURE_BUILDS:--O0 -O2 -Os ext}; do
		out=$(DRAGOMAN_QUICK=$((n % 2 ? 0 : 64)) TORTURE_FROM=$((n * TORTURE_EVERY / 4 % TORTURE_EVERY)) "$here/torture.sh" "$dragoman" $g "$o" 2>&1)
		n=$((n + 1))
		if grep -q '^no test source' <<<"$out"; then
			echo "SKIP gcc torture: the test source cannot be fetched: $(tail -2 <<<"$out" | head -1)"
			k=$((k + 1))
			break 2
		fi
		echo "$out"
		sed -n -E "s/^ *(FAIL|SKIP) /\1 $g /p" <<<"$out"
		read -r gp _ gf _ gk _ <<<"$(tail -1 <<<"$out" | tr -d ,)"
		case $gp in '' | *[!0-9]*) echo "FAIL $g: torture.sh did not finish: $(tail -1 <<<"$out")"; gp=0 gf=1 gk=0 ;; esac
		echo "summary $g torture-${o#-} $gp passed, $gf failed, $gk skipped"
		p=$((p + gp)) f=$((f + gf)) k=$((k + gk))
	done
done
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
