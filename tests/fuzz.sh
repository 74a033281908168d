#!/bin/bash
# fuzz.sh BUILD SECONDS: every target of tests/fuzz for so long, each guest for fuzz_code; BUILD-fuzz holds them
# (make fuzz).  What is found lies in BUILD-fuzz/found; run the target with it to replay.  SEED= repeats a run.
set -u
B=$1-fuzz seconds=$2 here=$(cd "$(dirname "$0")" && pwd)
p=0 f=0
one() { # name, target, seed folder, arguments...
	local name=$1 target=$2 seeds=$3 log=$B/log.$1
	shift 3
	mkdir -p "$B/corpus/$name" "$B/found/$name"
	if timeout $((seconds * 2 + 60)) "$B/fuzz/$target" -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=20 \
		-seed="${SEED:-1}" -artifact_prefix="$B/found/$name/" -print_final_stats=1 "$@" "$B/corpus/$name" "$seeds" >"$log" 2>&1; then
		p=$((p + 1))
		n=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
		echo "ok   $name: executions $n, $(grep -o 'cov: [0-9]*' "$log" | tail -1)"
		case $name in
		code-*) echo "summary ${name#code-} fuzz-code $n" ;;
		*) echo "summary all fuzz-$name $n" ;;
		esac
	else
		f=$((f + 1))
		echo "FAIL $name: $(grep -m1 -E 'ERROR|runtime error|Assertion|ir_verify|deadly' "$log"); see $B/found/$name and $log"
	fi
}
# Inputs that earlier runs have found worth keeping: tests/fuzz/corpus/NAME.hex, a line each.
stored() { # name; TO: the folder
	perl -ne 'chomp; open my $f, ">", "$ENV{TO}/stored$."; print $f pack "H*", $_' <"$here/fuzz/corpus/$1.hex"
}
code() { # guest: instructions of a program of its own, 256 bytes each
	local exe=$B/seed-$1 dir=$B/seeds/code-$1
	mkdir -p "$dir"
	if [ ! -e "$exe.text" ]; then
		"$1-linux-gnu-gcc" -static -O2 -w -o "$exe" "$here/prog/hello.c" && "$1-linux-gnu-objcopy" -O binary -j .text "$exe" "$exe.text"
		split -b 256 -a 4 "$exe.text" "$exe.part."
		n=0
		for s in "$exe".part.*; do
			n=$((n + 1))
			[ $((n % 20)) = 0 ] && { printf '\0'; cat "$s"; } >"$dir/$n"
			rm -f "$s"
		done
	fi
	TO=$dir stored "code-$1"
	FUZZ_GUEST=$1 one "code-$1" fuzz_code "$dir" -max_len=1024
}
mkdir -p "$B/seeds/elf" "$B/seeds/image"
for g in aarch64 riscv64; do
	head -c 4096 "/usr/$g-linux-gnu/lib/libc.so.6" >"$B/seeds/elf/$g" 2>/dev/null
	code $g
done
TO=$B/seeds/elf stored elf
one elf fuzz_elf "$B/seeds/elf" -max_len=8192
# a real cache file to begin with
"${DRAGOMAN:-$1/dragoman}" --cache "$B/cache" "$B/seed-aarch64" >/dev/null 2>&1
cp "$B"/cache/*.dgm "$B/seeds/image/" 2>/dev/null
one image fuzz_image "$B/seeds/image" -max_len=1000000
echo "$p passed, $f failed, 0 skipped"
[ $f = 0 ]
