#!/bin/bash
# Floating point of every guest, bit for bit.  Vectors: every instruction of every format in every mode on operands
# chosen as Berkeley TestFloat does (tests/frontend/stream/vectors.c), results and flags of our evaluation, the
# interpreter and the JIT at three levels of host features against the other emulator; VECTORS says how many.
# libm: the C library's functions on corners and random numbers (tests/frontend/libm.c), hashes compared.
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")/../.." && pwd)
dragoman=${DRAGOMAN:-$B/dragoman}
vectors=${VECTORS:-${FULL:+20000000}} values=${FULL:+20000} seed=${CHECK_SEED:-$RANDOM}
levels=(none avx512 avx512,avx2,avx,fma,bmi,bmi2,sha,aes,f16c,gfni)
engines=(eval "$dragoman --cache off --quick 0 --host interp")
for off in "${levels[@]}"; do
	engines+=("$dragoman --cache off --quick 0 --host-off $off")
done
p=0 f=0 k=0
[ -x "$B/tests/stream" ] || make -s -C "$here" B="${B#"$here"/}" "${B#"$here"/}/tests/stream" || exit 1
pass() { p=$((p + 1)); }
fail() {
	echo "FAIL $*"
	f=$((f + 1))
}
skip() {
	echo "SKIP $*"
	k=$((k + 1))
}
vectors() { # guest
	local out rc
	out=$("$B/tests/stream" -v -s "$seed" -n "${vectors:-500000}" "$1" "${engines[@]}" 2>&1)
	rc=$?
	echo "$out"
	if [ $rc = 0 ]; then pass; else fail "$1: stream -v -s $seed -n ${vectors:-500000}"; fi
}
libm() { # guest
	local program=$B/libm-$1 off
	if ! "$1-linux-gnu-gcc" -O2 -fno-builtin -frounding-math -static -o "$program" "$here/tests/frontend/libm.c" -lm 2>"$program.err"; then
		skip "no cross compiler for $1: $(head -1 "$program.err")"
		return
	fi
	"qemu-$1" "$program" "${values:-500}" "$seed" >"$program.want" || fail "qemu-$1 $program"
	for off in "${levels[@]}"; do
		if $dragoman --cache off --host-off "$off" "$program" "${values:-500}" "$seed" | cmp -s - "$program.want"; then
			pass
		else
			fail "$1, without $off: libm ${values:-500} $seed"
		fi
	done
	echo "summary $1 libm-functions $(cut -d' ' -f1 "$program.want" | sort -u | wc -l)"
}
for guest in ${GUEST:-aarch64 riscv64}; do
	if command -v "qemu-$guest" >/dev/null; then
		vectors "$guest"
		libm "$guest"
	else
		skip "no qemu-$guest"
	fi
done
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
