#!/bin/bash
# The engine's devices, switched off one by one and together: the programs of tests/prog print the same.  PROG chooses programs,
# GUEST a guest, RUNS repeats.  Then, of the quick tier: a block ends where there is code already, and goes on after calls.
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")/.." && pwd)
dragoman=${DRAGOMAN:-$B/dragoman}
p=0 f=0 k=0
switches=(
	"-d nochain -D /dev/null"
	"--host-off callret"
	"--host-off jumpcache"
	"--host-off callret,jumpcache -d nochain -D /dev/null"
	"--host-off avx512,avx2,avx,bmi2"
	"--code-size 1"
	"--code-size 1 --host-off callret"
	"--single"
	"--quick 0"
	"--quick 1"
	"--quick 1 --code-size 1"
	"--quick 2 -d in_asm,nochain -D /dev/null"
	"--quick 100000 -d in_asm -D /dev/null"
)
for g in ${GUEST:-aarch64 riscv64}; do
	for n in ${PROG:-deep faults fault_walk sig_regs smc frames cipher sig_basic sig_jump sig_storm thr_basic thr_smc thr_dual thr_atomic thr_exec vfork_kill vfork_heap}; do
		exe=$B/prog/$g-static-$n
		[ -x "$exe" ] || { echo "SKIP $g $n: tests/check.d/10-prog.sh has not built it"; k=$((k + 1)); continue; }
		want=$(cat "$here/prog/$n.out" 2>/dev/null || "$dragoman" "$exe" 2>&1 </dev/null)
		for s in "${switches[@]}"; do
			for _ in $(seq "${RUNS:-1}"); do
				# shellcheck disable=SC2086
				got=$(timeout 100 "$dragoman" $s "$exe" 2>&1 </dev/null)
				[ "$got" = "$want" ] && { p=$((p + 1)); continue; }
				f=$((f + 1)); echo "FAIL $g $n with $s: $(head -c 200 <<<"$got")"
			done
		done
	done
done
# The block at 2 is made before that at 1, which leads on to it.
once() {
	local t=$B/engine-once times
	aarch64-linux-gnu-gcc -nostdlib -static -x assembler -o "$t" - <<-'EOF' || return 1
		.globl _start
		_start:	mov x0, #3
			b 2f
		1:	add x1, x1, #1
		2:	add x2, x2, #1
			subs x0, x0, #1
			b.ne 1b
			mov x8, #93
			svc #0
	EOF
	timeout 10 "$dragoman" --cache off -d in_asm -D "$t.log" "$t" || return 1
	times=$(grep -c 'add.*x2, *x2' "$t.log")
	[ "$times" = 1 ] || { echo "FAIL a block was made again as part of another: $times times"; return 1; }
}
# The block at the start has the code after both calls, and is entered there; at the third it is too long to go on.
called() {
	local t=$B/engine-called times
	aarch64-linux-gnu-gcc -nostdlib -static -x assembler -o "$t" - <<-'EOF' || return 1
		.globl _start
		_start:	mov x0, #3
		1:	bl f
			add x2, x2, #1
			bl f
			subs x0, x0, #1
			b.ne 1b
			.rept 57
			add x1, x1, #1
			.endr
			bl f
			sub x0, x2, #3
			mov x8, #93
			svc #0
		f:	ret
	EOF
	timeout 10 "$dragoman" --cache off -d in_asm -D "$t.log" "$t" || { echo "FAIL calls of the quick tier"; return 1; }
	times=$(grep -c 'IN:' "$t.log")
	[ "$times" = 4 ] || { echo "FAIL code after a call is in a block of its own: $times blocks"; return 1; }
}
# A loop of one block that lies in two regions is translated in one, though it makes a choice.
whole() {
	local t=$B/engine-whole head
	riscv64-linux-gnu-gcc -nostdlib -static -x assembler -o "$t" - <<-'EOF' || return 1
		.globl _start
		_start:	li a0, 3
			.rept 150
			addi a1, a1, 1
			.endr
		head:	.rept 100
			addi a1, a1, 1
			.endr
			mv a3, a1
			bge a1, a2, 1f
			mv a3, a2
		1:	.rept 100
			addi a1, a1, 1
			.endr
			addi a0, a0, -1
			bnez a0, head
			li a7, 93
			ecall
	EOF
	timeout 10 "$dragoman" --cache off --quick 0 -d in_asm -D "$t.log" "$t" || { echo "FAIL a long loop"; return 1; }
	head=0x$(riscv64-linux-gnu-nm "$t" | sed -n 's/^0*\([^ ]*\) . head$/\1/p')
	awk -v head="$head" '/^IN/ { on = $2 == head } on && /bne/ { n++ } END { exit n != 1 }' "$t.log" ||
		{ echo "FAIL a long loop is not translated in one"; return 1; }
}
# Where a branch of new code leads is made with it, if that has been run: nobody leaves for it.
ahead() {
	local t=$B/engine-ahead exits
	riscv64-linux-gnu-gcc -nostdlib -static -x assembler -o "$t" - <<-'EOF' || return 1
			.macro both
			li a0, 1
			jal one\@
			jal other\@
			li a0, 0
			jal one\@
			j end\@
		one\@:	beqz a0, other\@
			ret
		other\@: ret
		end\@:
			.endm
			.globl _start
		_start:	.rept 50
			both
			.endr
			li a7, 93
			ecall
	EOF
	exits=$(timeout 10 "$dragoman" --cache off -d stats "$t" 2>&1 | sed -n 's/^ *\([0-9]*\) exits to unlinked or .*/\1/p')
	[ "${exits:-0}" = 50 ] || { echo "FAIL what new code branches to is made with it: $exits exits, not 50"; return 1; }
}
# What is known to have run is translated in one: behind calls, however many, and far ahead.
known() {
	local t=$B/engine-known made
	riscv64-linux-gnu-gcc -nostdlib -static -x assembler -o "$t" - <<-'EOF' || return 1
			.globl _start
		_start:	li a0, 3
		head:	.rept 40
			addi a1, a1, 1
			.endr
			call f
			beqz a0, far
			.rept 100
			addi a1, a1, 1
			.endr
			call f
			addi a0, a0, -1
			j head
			.skip 1024
		far:	li a7, 93
			ecall
		f:	ret
	EOF
	rm -rf "$t.cache"
	timeout 10 "$dragoman" --cache "$t.cache" "$t" || { echo "FAIL code to be known"; return 1; }
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		made=$(timeout 10 "$dragoman" --cache "$t.cache" -d stats "$t" 2>&1 | sed -n 's/^ *\([0-9]*\) regions translated/\1/p')
		[ "$made" = 1 ] && return 0
		sleep 0.2              # what has run may not have been told yet
	done
	echo "FAIL what has run is translated in $made regions, not 1"
	return 1
}
# Code that is run once is run without being translated, and counted.
first() {
	local t=$B/engine-first quick want
	riscv64-linux-gnu-gcc -nostdlib -static -x assembler -o "$t" - <<-'EOF' || return 1
			.globl _start
		_start:	.rept 1000
			addi a1, a1, 1
			.endr
			li a0, 0
			li a7, 93
			ecall
	EOF
	for quick in 1 0; do
		want=$((quick * 1002))
		timeout 10 "$dragoman" --cache off --quick $quick -d stats "$t" 2>&1 | grep -q "^ *$want guest instructions run the first time" ||
			{ echo "FAIL with --quick $quick not $want instructions are run without code"; return 1; }
	done
}
if [[ " ${GUEST:-riscv64} " = *" riscv64 "* ]]; then
	for test in whole ahead known first; do
		$test && p=$((p + 1)) || f=$((f + 1))
	done
fi
if [[ " ${GUEST:-aarch64} " = *" aarch64 "* ]]; then
	for test in once called; do
		$test && p=$((p + 1)) || f=$((f + 1))
	done
fi
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
