#!/bin/bash
# Random instruction streams (tests/frontend/stream) of every guest: our IR's evaluation, whole and stepped, the
# interpreter, the JIT at three levels of host features, its quick tier (with in_asm code is made for all that runs)
# and what runs without code the first time, against the other emulator; every line of the .isa
# tables must have run.  First the blocks that once differed.  COUNT says how many instructions (200,000; 20,000,000
# if FULL is set), CHECK_SEED which; GUEST chooses.  What differs is shrunk and kept in BUILD/streams-GUEST.txt.
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")/../.." && pwd)
dragoman=${DRAGOMAN:-$B/dragoman}
count=${COUNT:-${FULL:+20000000}} seed=${CHECK_SEED:-$RANDOM}
engines=(eval step "$dragoman --cache off --quick 0 --host interp")
for off in none avx512 avx512,avx2,avx,fma,bmi,bmi2,sha,aes,f16c,gfni; do
	engines+=("$dragoman --cache off --quick 0 --host-off $off")
done
engines+=("$dragoman --cache off -d in_asm -D /dev/null" "$dragoman --cache off --host-off avx512,avx2,avx,fma,bmi,bmi2")
if [ -n "${FULL:-}" ]; then    # devices of the engine, one by one; and from the translation cache, which the first run fills
	engines+=("$dragoman --cache off --single" "$dragoman --cache off --quick 0 --host-off callret,jumpcache -d nochain -D /dev/null")
	engines+=("sh -c '$dragoman --quick 0 --cache $B/cache-streams \$0 >/dev/null; $dragoman --cache $B/cache-streams \$0'")
	mkdir -p -m 700 "$B/cache-streams"
fi
p=0 f=0 k=0 seen=
[ -x "$B/tests/stream" ] || make -s -C "$here" B="${B#"$here"/}" "${B#"$here"/}/tests/stream" || exit 1
# Every IR operation must have been evaluated for some guest, but mov, which is folded away, trap, and those that are for
# loops (ir/seek.c, ir/copy.c, ir/lanes.c).
operations() {
	local missing
	missing=$(sed -n 's/^OP( *\([a-z0-9]*\),.*/\1/p' "$here/src/ir/op.def" | grep -vxE 'mov|trap|vsigns|fill|copy|usad' | sort |
		comm -23 - <(sed -n 's/^evaluated //p' <<<"$seen" | sort -u))
	if [ -z "$missing" ]; then
		p=$((p + 1))
	else
		echo "FAIL operations that no block used:" $missing
		f=$((f + 1))
	fi
}
one() { # what, arguments
	local what=$1 out
	shift
	if out=$("$B/tests/stream" "$@" "${engines[@]}" 2>&1); then
		p=$((p + 1))
	else
		echo "FAIL $what: stream $*"
		f=$((f + 1))
	fi
	echo "$out"
	seen+=$out$'\n'
}
for guest in ${GUEST:-aarch64 riscv64}; do
	if ! command -v "qemu-$guest" >/dev/null; then
		echo "SKIP no qemu-$guest"
		k=$((k + 1))
		continue
	fi
	one "$guest, stored blocks" -r "$here/tests/frontend/streams/$guest.txt" "$guest"
	one "$guest, random blocks" -c -s "$seed" -n "${count:-200000}" -w "$B/streams-$guest.txt" "$guest"
done
[ $k = 0 ] && [ -z "${GUEST:-}" ] && operations
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
