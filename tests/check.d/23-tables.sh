#!/bin/bash
# What the unit tests of the tables said, as lines for the summary: each has left a log, or runs now.
set -u
B=$1 p=0 f=0
number() { # who, key, log, pattern with one group
	local v
	[ -e "$B/log.$3" ] || "$B/tests/${3/-//}" >"$B/log.$3" 2>&1
	v=$(sed -nE "s/.*$4.*/\\1/p" "$B/log.$3" 2>/dev/null | tail -1)
	if [ -n "$v" ]; then
		echo "summary $1 $2 $v"
		p=$((p + 1))
	else
		echo "FAIL $B/log.$3 has no '$4'"
		f=$((f + 1))
	fi
}
number aarch64 base-lines-as-capstone frontend-test_isa_arm64 '^([0-9]+) lines agree with capstone'
number aarch64 simd-lines-as-capstone frontend-test_isa_simd '^([0-9]+) lines agree with capstone'
number riscv64 words-as-objdump frontend-test_isa_riscv '^([0-9]+) texts equal or tolerated'
number all op-values ir-test_op '^([0-9]+) operations, '
number all op-values-tried ir-test_op 'operations, ([0-9]+) values'
number all op-vector-types ir-test_op '^([0-9]+) vector operations'
number all fold-rules ir-test_fold '^([0-9]+) rules fired'
number all fp-vectors-against-host base-test_fp '^([0-9]+) vectors'
echo "$p passed, $f failed"
[ $f = 0 ]
