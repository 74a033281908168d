#!/bin/bash
# Random instruction streams (tests/frontend/stream) of every guest: our IR's evaluation, whole and stepped, the
# interpreter and the JIT at three levels of host features, against the other emulator; every line of the .isa
# tables must have run.  First the blocks that once differed.  COUNT says how many instructions (200,000; 20,000,000
# if FULL is set), CHECK_SEED which; GUEST chooses.  What differs is shrunk and kept in BUILD/streams-GUEST.txt.
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")/../.." && pwd)
dragoman=${DRAGOMAN:-$B/dragoman}
count=${COUNT:-${FULL:+20000000}} seed=${CHECK_SEED:-$RANDOM}
engines=(eval step "$dragoman --cache off --host interp")
for off in none avx512 avx512,avx2,avx,fma,bmi,bmi2,sha,aes,f16c,gfni; do
	engines+=("$dragoman --cache off --host-off $off")
done
p=0 f=0 k=0
[ -x "$B/tests/stream" ] || make -s -C "$here" B="${B#"$here"/}" "${B#"$here"/}/tests/stream" || exit 1
one() { # what, arguments
	local what=$1 out
	shift
	if out=$("$B/tests/stream" "$@" "${engines[@]}" 2>&1); then
		p=$((p + 1))
		echo "$out"
	else
		echo "$out"
		echo "FAIL $what: stream $*"
		f=$((f + 1))
	fi
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
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
