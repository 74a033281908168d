#!/bin/bash
# Random RISC-V instructions: our IR's evaluation, the interpreter and the JIT against qemu-riscv64.
# RISU_ROUNDS says how often (1000 batches each).
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")/../.." && pwd)
dragoman=${DRAGOMAN:-$B/dragoman}
qemu="qemu-riscv64 -cpu rv64,Zfh=true,Zfhmin=true"
p=0 f=0
if ! command -v qemu-riscv64 >/dev/null; then
	echo "SKIP no qemu-riscv64"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
make -s -C "$here" B="$B" "${B#"$here"/}/tests/frontend/risu_riscv" || exit 1
for emulator in eval "$dragoman" "$dragoman --host interp"; do
	for k in 1 20; do
		for i in $(seq "${RISU_ROUNDS:-1}"); do
			if out=$("$B/tests/frontend/risu_riscv" ${CHECK_SEED:+-s "$CHECK_SEED"} -n 1000 -k $k "$qemu" "$emulator" 2>&1); then
				p=$((p + 1))
			else
				echo "$out"
				echo "FAIL $emulator: $(head -1 <<<"$out") -n 1000 -k $k; $(tail -1 <<<"$out")"
				f=$((f + 1))
			fi
		done
	done
done
echo "$p passed, $f failed"
[ $f = 0 ]
