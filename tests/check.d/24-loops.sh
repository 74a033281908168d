#!/bin/bash
# Random loops (tests/loops/gen.c), built for each guest in several ways, run translated in full at once, and by default,
# against qemu-user: LOOPS programs of 60 loops a guest.  What differs is kept as BUILD/loops/SEED.c.
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")/.." && pwd)
dragoman=${DRAGOMAN:-$B/dragoman}
programs=${LOOPS:-${FULL:+400}} seed=${CHECK_SEED:-$RANDOM} each=60
p=0 f=0 k=0
builds=(-O1 -O2 "-O2 -fno-if-conversion" -O3 "-O2 -ftree-vectorize" "-O1 ext")
ext() { # options, guest
	case $2 in
	riscv64) echo "${1/ext/-march=rv64gc_zba_zbb_zbs}" ;;
	*) echo "${1/ext/-march=armv8.4-a}" ;;
	esac
}
mkdir -p "$B/loops"
ulimit -c 0
${CC:-cc} -std=gnu11 -O1 -o "$B/loops/gen" "$here/loops/gen.c" ||
	{ echo "FAIL gen.c does not build"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
for g in ${GUEST:-aarch64 riscv64}; do
	cc=$g-linux-gnu-gcc peer=${QEMU:-qemu-}$g loops=0
	for need in $cc "$peer"; do
		command -v "$need" >/dev/null || { echo "SKIP $g: no $need"; k=$((k + 1)); continue 2; }
	done
	for ((n = 0; n < ${programs:-16}; n++)); do
		src=$B/loops/$((seed + n)).c exe=$B/loops/$g
		"$B/loops/gen" $((seed + n)) $each >"$src"
		how=$(ext "${builds[n % ${#builds[@]}]}" "$g")
		case $how in *tree-vectorize*) ;; *) how+=" -fno-tree-vectorize -fno-tree-slp-vectorize" ;; esac
		# shellcheck disable=SC2086
		$cc -w -static $how -fwrapv -fno-strict-aliasing -fno-tree-loop-distribute-patterns -I"$here/loops" -o "$exe" "$src" -lm ||
			{ echo "FAIL $g: $src $how does not build"; f=$((f + 1)); continue; }
		timeout 300 "$peer" "$exe" >"$exe.want" || { echo "FAIL $g: $src $how: $peer: exit $?"; f=$((f + 1)); continue; }
		wrong=0
		for options in "--quick 0" ""; do
			# shellcheck disable=SC2086
			timeout 300 "$dragoman" --cache off $options "$exe" >"$exe.got" 2>&1
			cmp -s "$exe.want" "$exe.got" && { p=$((p + 1)); continue; }
			echo "FAIL $g: $src $how, dragoman $options: $(diff "$exe.want" "$exe.got" | sed -n 's/^> //p' | head -3 | tr '\n' ' ')"
			f=$((f + 1)) wrong=1
		done
		[ $wrong = 1 ] || rm -f "$src"
		loops=$((loops + each))
	done
	echo "summary $g random-loops $loops"
done
echo "seed $seed"
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
