#!/bin/bash
# Tools to see hot code: -d hot, -perfmap, -jitdump, -d stats.
set -u
B=$(cd "$1" && pwd)
dragoman=${DRAGOMAN:-$B/dragoman}
p=0 f=0 k=0
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
cd "$W" || exit 1
unset "${!QEMU_@}" "${!DRAGOMAN_@}"
fail() { echo "FAIL $*"; f=$((f + 1)); }
ok() { if "${@:2}"; then p=$((p + 1)); else fail "$1"; fi; }
cat >hot.c <<'C'
#include <stdio.h>
__attribute__((noinline)) unsigned often(unsigned n) { unsigned x = n; while (n--) x = x * 69069 + (x >> 3); return x; }
__attribute__((noinline)) unsigned seldom(unsigned n) { return n / 3; }
int main(void) { printf("%u\n", seldom(3) + often(3000000)); return 0; }
C
for g in aarch64:arm64 riscv64:riscv; do
	cc=${g%:*}-linux-gnu-gcc g=${g#*:}
	command -v "$cc" >/dev/null || { echo "SKIP $g: no $cc"; k=$((k + 1)); continue; }
	"$cc" -O1 -static -o "hot-$g" hot.c || exit 1
	want=$("$dragoman" "./hot-$g")
	for how in '-d hot -D log' -jitdump '--cache off -d stats -D stats'; do
		# shellcheck disable=SC2086
		ok "$g $how: another result" [ "$("$dragoman" $how "./hot-$g")" = "$want" ]
	done
	# the loop, 5 or 6 instructions a turn, is nearly all that happens; seldom() ran once or was inlined
	ok "$g: often() is not the hottest: $(head -3 log)" grep -qE "^ *9[0-9]\.[0-9]+ +1[0-9]{7} .* $g:often(\+0x[0-9a-f]+)?\$" <(sed -n 3p log)
	ok "$g: regions translated" grep -qE '^ *[1-9][0-9]* regions translated' stats
	# names and code in the dump: magic number, and a record with the name
	dump=$(ls jit-*.dump)
	ok "$g: jit dump's magic number" [ "$(head -c 4 "$dump" | od -An -tx4 | tr -d ' ')" = 4a695444 ]
	ok "$g: often() in the jit dump" grep -qaE "$g:often" "$dump"
	if ! command -v perf >/dev/null; then
		echo "SKIP $g: no perf to read what was written"; k=$((k + 1))
	elif ! perf record -q -k 1 -e cpu-clock -o jit.data "$dragoman" -jitdump "./hot-$g" >out 2>err; then
		echo "SKIP $g: perf record: $(head -1 err)"; k=$((k + 1))
	else
		perf inject --jit -i jit.data -o named.data 2>err
		ok "$g: perf does not find often() by the dump" grep -qE "$g:often" <(perf report -i named.data --stdio 2>>err)
		# shellcheck disable=SC2016
		perf record -q -e cpu-clock -o map.data sh -c 'echo $$ >pid; exec "$0" -perfmap "$1"' "$dragoman" "./hot-$g" >out 2>err
		ok "$g: perf does not find often() by the map" grep -qE "$g:often" <(perf report -i map.data --stdio 2>>err)
		rm -f "/tmp/perf-$(cat pid).map"
	fi
	rm -f "$dump" jit-*.dump jitted-*.so
done
# the map has the name of dragoman's process, which is ours if we become it
if [ -e hot-arm64 ]; then
	sh -c 'echo $$ >pid; exec "$0" -perfmap ./hot-arm64 >/dev/null' "$dragoman"
	map=/tmp/perf-$(cat pid).map
	ok 'often() in the map' grep -qE '^[0-9a-f]+ [0-9a-f]+ arm64:often(\+0x[0-9a-f]+)?$' "$map"
	rm -f "$map"
	"$dragoman" --host interp -d hot -D ilog ./hot-arm64 >/dev/null
	ok 'interpreter: does not say that it does not count' grep -q 'does not count' ilog
fi
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
