#!/bin/bash
# Random AArch64 instructions, integer and SIMD: our IR's evaluation, the interpreter and the JIT with
# and without host features, against qemu-aarch64.  RISU_ROUNDS says how often (4000 batches each).
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")/../.." && pwd)
dragoman=${DRAGOMAN:-$B/dragoman}
qemu="qemu-aarch64 -cpu max"
p=0 f=0
if ! command -v qemu-aarch64 >/dev/null; then
	echo "SKIP no qemu-aarch64"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
make -s -C "$here" B="$B" "${B#"$here"/}/tests/frontend/risu_arm64" || exit 1
one() { # emulator, arguments
	local emulator=$1 out
	shift
	if out=$("$B/tests/frontend/risu_arm64" ${CHECK_SEED:+-s "$CHECK_SEED"} "$@" "$qemu" "$emulator" 2>&1); then
		p=$((p + 1))
	else
		echo "$out"
		echo "FAIL $emulator: $(head -1 <<<"$out") $*; $(tail -1 <<<"$out")"
		f=$((f + 1))
	fi
}
for i in $(seq "${RISU_ROUNDS:-1}"); do
	for k in 1 16; do
		for isa in "" -b; do
			one eval $isa -n 4000 -k $k
			one "$dragoman --host interp" $isa -n 4000 -k $k
			for off in none avx512 avx512,avx2,avx,fma,bmi,bmi2,sha,aes,f16c,gfni; do
				one "$dragoman --host-off $off" $isa -n 4000 -k $k
			done
		done
	done
done
echo "$p passed, $f failed"
[ $f = 0 ]
