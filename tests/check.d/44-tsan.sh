#!/bin/bash
# dragoman under ThreadSanitizer running threaded guest programs, by the JIT and by the interpreter: no data race in the C around
# generated code.  Generated code is not watched, and programs that wait for signals cannot run: the sanitizer keeps
# signals back until the C library is called.  tests/tsan.supp says what is no race.  The space is
# small because the sanitizer's own takes the rest.  Expects the programs of 10-prog.sh.
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")/.." && pwd)
p=0 f=0 k=0
printf 'int main(void) { return 0; }\n' >"$B/probe.c"
if ! clang -fsanitize=thread -o "$B/probe" "$B/probe.c" 2>"$B/probe.err" || ! "$B/probe" 2>"$B/probe.err"; then
	echo "SKIP tsan: clang here has no ThreadSanitizer: $(head -1 "$B/probe.err")"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
make -s -C "$here/.." B="$B-tsan" CC=clang OPT='-O1 -g' CFLAGS=-fsanitize=thread all >"$B/log.tsan-build" 2>&1 ||
	{ echo "FAIL tsan does not build: $(grep -m1 error "$B/log.tsan-build")"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
export TSAN_OPTIONS="suppressions=$here/tsan.supp report_signal_unsafe=0" LITMUS_ROUNDS=${LITMUS_ROUNDS:-10000}
one() { # guest, --host=NAME or nothing, program, arguments
	local g=$1 host=$2 exe=$B/prog/$1-static-$3 out
	[ -x "$exe" ] || { echo "SKIP $g $3: tests/check.d/10-prog.sh has not built it"; k=$((k + 1)); return; }
	# shellcheck disable=SC2086
	out=$(timeout 300 "$B-tsan/dragoman" --cache off -R 512G $host "$exe" "${@:4}" 2>&1 </dev/null)
	case $? in
	0) p=$((p + 1)) ;;
	*) f=$((f + 1)); echo "FAIL $g $3 $host: $(grep -m1 -E '^SUMMARY|FATAL|CHECK failed' <<<"$out" || tail -1 <<<"$out")" ;;
	esac
}
for g in ${GUEST:-aarch64 riscv64}; do
	for n in thr_atomic thr_smc thr_dual thr_litmus; do one $g "" $n; done
	one $g "" storm threads 200
	for n in thr_smc thr_dual; do one $g --host=interp $n; done
	one $g --host=interp storm threads 100
done
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
