#!/bin/bash
# Signals between any two instructions (tests/prog/sig_steps.c), with each device of the engine on and off: what a handler sees
# at an instruction is the same everywhere, and the same as under qemu-user.  DELIVERIES a switch: how many.
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")/.." && pwd)
dragoman=${DRAGOMAN:-$B/dragoman} n=${DELIVERIES:-1000}
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
p=0 f=0 k=0
fail() { echo "FAIL $*"; f=$((f + 1)); }
switches=(
	""
	"-d nochain -D /dev/null"
	"--single"
	"--single -d nochain -D /dev/null"
	"--quick 0 --host interp"
	"--host-off callret"
	"--host-off jumpcache"
	"--host-off callret,jumpcache -d nochain -D /dev/null"
	"--host-off avx512,avx2,avx,bmi2"
	"--code-size 1"
	"--quick 0"
	"--quick 100000 -d in_asm -D /dev/null"
)
# States of FILE that REFERENCE has otherwise, and the first of them.
differ() { awk 'NR == FNR { s[$1] = $0; next } /^#/ { next } ($1 in s) && s[$1] != $0 { if (!n++) first = $0 } END { if (n) print n ", first " first }' "$1" "$2"; }
for g in ${GUEST:-aarch64 riscv64}; do
	command -v $g-linux-gnu-gcc >/dev/null || { echo "SKIP $g: no $g-linux-gnu-gcc"; k=$((k + 1)); continue; }
	$g-linux-gnu-gcc -O2 -w -static -o "$W/$g" "$here/prog/sig_steps.c" || { fail "$g: sig_steps.c does not build"; continue; }
	delivered=0
	for status in "" w; do
		peer=$W/peer
		command -v qemu-$g >/dev/null && timeout 300 qemu-$g -singlestep -d nochain -D /dev/null "$W/$g" 5000 "$peer" $status >/dev/null 2>&1 ||
			{ echo "SKIP $g: no qemu-$g to compare with"; k=$((k + 1)); : >"$peer"; }
		for s in "${switches[@]}"; do
			[ -z "$status" ] || [ "${s#--single}" != "$s" ] || continue
			m=$n
			case $s in --single*nochain*) [ "$n" -ge 4000 ] || m=4000 ;; esac
			# shellcheck disable=SC2086
			out=$(timeout "$((60 + m / 100))" "$dragoman" $s "$W/$g" $m "$W/states" $status 2>&1)
			read -r _ d _ seen _ <<<"$(tail -1 "$W/states" | tr -d ,)"
			bad=$(differ "$peer" "$W/states")
			delivered=$((delivered + ${d:-0}))
			if [ "$out" != "all good" ]; then fail "$g ${s:-no switch} $status: $(head -c 300 <<<"$out")"
			elif [ -n "$bad" ]; then fail "$g ${s:-no switch} $status: other states than qemu-user's: $bad"
			else case $s in
				--single*nochain*) if [ "$seen" -ge 480 ]; then p=$((p + 1)); else fail "$g $s: signals at $seen states only"; fi ;;
				*) p=$((p + 1)) ;;
			esac; fi
			rm -f "$W/states"
		done
	done
	echo "summary $g signal-deliveries $delivered"
done
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
