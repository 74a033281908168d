#!/bin/bash
# Programs of tests/prog, cross-built for every guest, static and dynamic, run by the JIT, with its quick tier and without,
# and by the interpreter.  NAME.out holds the expected output (else what qemu-user prints is expected),
# "// args:", "// exit:", "// flags:", "// jit only" in the source say more.
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")/.." && pwd)
dragoman=${DRAGOMAN:-$B/dragoman}
p=0 f=0 k=0
guests="aarch64 riscv64"
[ -n "${GUEST:-}" ] && guests=$GUEST
one() { # name, guest, want-file, want-status, command...
	local what=$1 want=$2 rc=$3 got
	shift 3
	timeout 180 "$@" >"$B/prog/out" 2>"$B/prog/err" </dev/null
	got=$?
	if [ $got != "$rc" ] || ! cmp -s "$B/prog/out" "$want"; then
		echo "FAIL $what: exit $got, expected $rc; $(head -c 300 "$B/prog/err")"
		diff "$want" "$B/prog/out" | head -5
		f=$((f + 1))
	else
		p=$((p + 1))
	fi
}
mkdir -p "$B/prog"
ulimit -c 0
for g in $guests; do
	cc=$g-linux-gnu-gcc cxx=$g-linux-gnu-g++
	command -v $cc >/dev/null || { echo "SKIP $g: no $cc"; k=$((k + 1)); continue; }
	for src in "$here"/prog/*.c "$here"/prog/*.cc; do
		[ -e "$src" ] || continue
		n=$(basename "$src"); n=${n%.*}
		case $n in ${PROG:-*}) ;; *) continue ;; esac
		only=$(sed -n 's,^// guest: *,,p' "$src")
		[ -z "$only" ] || [ "$only" = $g ] || continue
		args=$(sed -n 's,^// args: *,,p' "$src") rc=$(sed -n 's,^// exit: *,,p' "$src")
		flags=$(sed -n 's,^// flags: *,,p' "$src")
		c=$cc; case $src in *.cc) c=$cxx ;; esac
		for link in static dynamic; do
			exe=$B/prog/$g-$link-$n s=
			[ $link = static ] && s=-static
			if [ ! -e "$exe" ] || [ "$src" -nt "$exe" ]; then
				# shellcheck disable=SC2086
				$c -O2 -w $s $flags -pthread -o "$exe" "$src" -lm 2>"$B/prog/cc.err" || {
					echo "FAIL $g $n does not build: $(head -2 "$B/prog/cc.err")"; f=$((f + 1)); continue; }
			fi
			want=${src%.*}.out
			if [ ! -e "$want" ]; then
				want=$B/prog/want
				# shellcheck disable=SC2086
				qemu-$g -L /usr/$g-linux-gnu "$exe" $args >"$want" 2>/dev/null </dev/null
			fi
			# shellcheck disable=SC2086
			one "$g $link $n" "$want" "${rc:-0}" "$dragoman" -L /usr/$g-linux-gnu "$exe" $args
			[ $link = dynamic ] ||
				one "$g $link $n (in full)" "$want" "${rc:-0}" "$dragoman" --quick 0 "$exe" $args
			grep -q '^// jit only' "$src" || [ $link = dynamic ] ||
				one "$g $link $n (interp)" "$want" "${rc:-0}" "$dragoman" --quick 0 --host interp "$exe" $args
		done
	done
done
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
