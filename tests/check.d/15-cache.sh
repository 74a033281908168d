#!/bin/bash
# Translations kept between processes: found again, never wrong, whatever happens to the files.
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")/.." && pwd)
dragoman=${DRAGOMAN:-$B/dragoman}
T=$(mktemp -d)
trap 'chmod -R u+w "$T"; rm -rf "$T"' EXIT
p=0 f=0 k=0
unset DRAGOMAN_CACHE
export DRAGOMAN_QUICK=0           # a process that finds no file leaves all it has run, not only what it ran often
ulimit -c 0
ok() { p=$((p + 1)); }
no() { f=$((f + 1)); echo "FAIL $*"; }
same() { if [ "$2" = "$3" ]; then ok; else no "$1: expected '$2', got '$3'"; fi; }
fresh() { chmod -R u+w "$T/c" 2>/dev/null; rm -rf "$T/c"; mkdir -m 700 "$T/c"; }
run() { timeout 60 "$dragoman" --cache "$T/c" -L "$sys" "$@" 2>&1; }
# what -d stats counts, by the text after it; the guest's own output goes elsewhere
stat() { # text, command...
	local text=$1
	shift
	timeout 60 "$dragoman" --cache "$T/c" -d stats -D "$T/log" -L "$sys" "$@" >/dev/null 2>&1
	sed -n "s/^ *\([0-9]*\) $text\$/\1/p" "$T/log"
}
stat_size() { command stat -c %s "$1"; }
few() { # name, limit, number
	if [ -n "$3" ] && [ "$3" -le "$2" ]; then ok; else no "$1: at most $2 regions wanted, '$3' translated"; fi
}
ours() { ls "$T/c"/*.dgm 2>/dev/null; }
# the sizes of mappings that begin where a cache file's ends
# Copied first: bash goes back to where a line ended, and in a file that has grown meanwhile that is somewhere else.
behind() { # maps
	local end=none range file
	while read -r range _ _ _ _ file; do
		case $file in
		*.dgm) end=${range#*-} ;;
		*) [ "${range%-*}" != "$end" ] || echo $((0x${range#*-} - 0x${range%-*})) ;;
		esac
	done < <(cat "$1") | grep .
}
new="regions translated"

for g in aarch64 riscv64; do
	cc=$g-linux-gnu-gcc sys=/usr/$g-linux-gnu
	command -v $cc >/dev/null || { echo "SKIP $g: no $cc"; k=$((k + 1)); continue; }
	D=$T/$g
	mkdir -p "$D"
	sed 's,^// .*,,' "$here/prog/hello.c" >"$D/hello.c"
	$cc -O2 -w -o "$D/hello" "$D/hello.c" && $cc -O2 -w -static -o "$D/hello-static" "$D/hello.c" &&
	$cc -O2 -w -pthread -o "$D/plugins" "$here/cache/plugins.c" -ldl &&
	$cc -O2 -w -pthread -o "$D/patch" "$here/cache/patch.c" &&
	$cc -O2 -static -o "$D/forks" "$here/cache/forks.c" &&
	for n in 1 2 3; do $cc -O2 -shared -fPIC -DN=$n -o "$D/lib$n.so" "$here/cache/lib.c" || break; done ||
		{ no "$g: test programs do not build"; continue; }

	# cold, warm, warm: the same; warm runs translate next to nothing
	for exe in hello hello-static; do
		fresh
		want=$("$dragoman" --cache off -L "$sys" "$D/$exe")
		for n in cold warm again; do same "$g $exe $n" "$want" "$(run "$D/$exe")"; done
		few "$g $exe" 10 "$(stat "$new" "$D/$exe")"
	done
	# what a program that forks often has translated is written at once, however large the file is already
	fresh
	"$dragoman" --cache "$T/c" cache warm "$D/forks" >/dev/null
	[ "$(stat "$new" "$D/forks" 0)" != 0 ] || no "$g forks: warm left nothing to translate"
	run "$D/forks" 100
	same "$g forks" 0 "$(stat "$new" "$D/forks" 100 | sort -u)"
	# the quick tier: what the first process runs often it leaves, the next ones all that they run
	fresh
	export DRAGOMAN_QUICK=4
	n=$(stat "of these blocks that were made quickly" "$D/hello") often=$(sed -n "s/^ *\([0-9]*\) of those made once more, in full\$/\1/p" "$T/log")
	same "$g: code is made quickly, and some of it once more" "1 1" "$((${n:-0} > 50)) $((${often:-0} > 5))"
	for ((n = 0; n < 3; n++)); do same "$g quick $n" "$("$dragoman" --cache off -L "$sys" "$D/hello")" "$(run "$D/hello")"; done
	few "$g after the quick tier" 10 "$(stat "$new" "$D/hello")"
	# what runs a few times only is kept, too: the second process translates it all, and the next ones find it
	fresh
	export DRAGOMAN_QUICK=1000000
	n=$(stat "regions added to cache files" "$D/hello")
	same "$g: nothing runs often" 0 "$n"
	n=$(stat "regions added to cache files" "$D/hello")
	same "$g: but twice" 1 "$([ "${n:-0}" -gt 50 ] && echo 1)"
	few "$g, the third time" 10 "$(stat "$new" "$D/hello")"
	n=$(stat "of these blocks that were made quickly" "$D/hello")
	same "$g: none of its files is left to the quick tier" 0 "$n"
	# of one that is killed it is known that it has run if it has had a child, which may be killed too
	printf '#include <signal.h>\n#include <sys/wait.h>\n#include <unistd.h>
	    int main(int argc, char **argv) { int child; if (argc > 1) return 0; child = fork(); if (!child) pause();
	    kill(child, SIGKILL); wait(0); return kill(getpid(), SIGKILL); }\n' >"$D/killed.c"
	$cc -O2 -o "$D/killed" "$D/killed.c" || no "$g: killed.c"
	quick="of these blocks that were made quickly"
	fresh
	same "$g: nobody has run it" 1 "$([ "$(stat "$quick" "$D/killed" x)" -gt 50 ] && echo 1)"
	fresh
	timeout 60 "$dragoman" --cache "$T/c" -L "$sys" "$D/killed" 2>/dev/null
	same "$g: it was killed" 137 $?
	same "$g: one that was killed has run it" 0 "$(stat "$quick" "$D/killed" x)"
	# what is made once more, in full, is what has run: with 100 instructions or without them
	printf 'int main(int argc, char **argv) { volatile int rare = argc > 1; for (volatile int n = 0; n < 1000; n++)
	    if (rare) __asm__ volatile(".rept 100\\nnop\\n.endr"); return 0; }\n' >"$D/rare.c"
	$cc -O2 -o "$D/rare" "$D/rare.c" || no "$g: rare.c"
	export DRAGOMAN_QUICK=16
	n=$(stat "guest instructions in them" --cache off "$D/rare")
	all=$(stat "guest instructions in them" --cache off "$D/rare" x)
	same "$g: what has not run is made neither quickly nor in full" 1 "$((all - n >= 150))"
	# the second process, which translates in full, leaves out what the first has not run
	export DRAGOMAN_QUICK=1000000
	fresh
	run "$D/rare"
	n=$(stat "guest instructions in them" "$D/rare")
	export DRAGOMAN_QUICK=0
	fresh
	all=$(stat "guest instructions in them" "$D/rare")
	same "$g: what the first has not run is left out by the second" 1 "$((n > 1000 && all - n >= 90))"
	n=$(stat "of these blocks that were made quickly" --cache off "$D/hello")
	same "$g: none is made quickly" 0 "$n"
	# what a process translates a little of, in the vDSO too, one of the next ones keeps
	printf '#include <time.h>\nint main(int n, char **v) { struct timespec t = {n, 0}; return n > 1 && clock_gettime(0, &t); }\n' >"$D/little.c"
	$cc -O2 -o "$D/little" "$D/little.c" || no "$g: little.c"
	for n in cold warm again; do same "$g little $n" "" "$(run "$D/little")"; done
	left=$(stat "$new" "$D/little" x)
	same "$g: the clock is asked in new code" 1 "$([ "$left" -gt 0 ] && echo 1)"
	for ((n = 0; n < 300 && left > 0; n++)); do left=$(stat "$new" "$D/little" x); done
	same "$g: in the end all is kept" 0 "$left"
	# what an image has not is like new code: not made in full by whoever misses it; but the next one does so, and adds
	# it, if that was much
	{ printf 'static volatile int sum;\n'
	    for ((n = 0; n < 200; n++)); do printf '__attribute__((noinline)) static void f%d(void) { sum += %d; }\n' $n $n; done
	    printf 'int main(int argc, char **argv) { if (argc > 1) {'
	    for ((n = 0; n < 200; n++)); do printf ' f%d();' $n; done
	    printf ' } return sum %% 251; }\n'; } >"$D/many.c"
	$cc -O1 -static -o "$D/many" "$D/many.c" || no "$g: many.c"
	export DRAGOMAN_QUICK=1000000
	fresh
	for n in 1 2; do run "$D/many"; done
	few "$g many" 10 "$(stat "$new" "$D/many")"
	all=$(stat "$new" "$D/many" x)
	same "$g: what is missed is not made in full" "${all:-none}" "$(sed -n "s/^ *\([0-9]*\) $quick\$/\1/p" "$T/log")"
	n=$(stat "regions added to cache files" "$D/many" x)
	same "$g: the next one adds it" 1 "$((${n:-0} >= 200))"
	same "$g: many with a word" "$((199 * 200 / 2 % 251))" "$(run "$D/many" x; echo $?)"
	few "$g many with a word" 10 "$(stat "$new" "$D/many" x)"
	# and if it was little, one of the next ones does
	fresh
	for n in 1 2; do run "$D/little"; done
	left=1
	for ((n = 0; n < 500 && left > 0; n++)); do
		left=$(stat "guest instructions run the first time, without code" "$D/little" x)
	done
	same "$g: in the end little is kept" 0 "$left"
	export DRAGOMAN_QUICK=0
	# another configuration is another file
	few "$g without bmi2 is made anew" 100000 "$(stat "$new" --host-off bmi2 "$D/hello")"
	model=cortex-a53; [ $g = riscv64 ] && model=rva20u64
	for o in "--host-off bmi2,avx" --single "-d nochain" "-cpu $model"; do
		# shellcheck disable=SC2086
		n=$(stat "$new" $o "$D/hello")
		same "$g $o makes code anew" 1 "$([ "${n:-0}" -gt 50 ] && echo 1)"
		# shellcheck disable=SC2086
		few "$g $o, again" 10 "$(stat "$new" $o "$D/hello")"
	done

	# a library changed in place, by rename, and back again
	fresh
	for n in 1 2 1 3 2; do
		cp "$D/lib$n.so" "$D/lib.so"
		for again in 1 2 3; do same "$g library $n in place" "lib $n" "$(run "$D/plugins" "$D/lib.so")"; done
		cp "$D/lib$n.so" "$D/next.so"
		mv "$D/next.so" "$D/lib.so"
		same "$g library $n renamed" "lib $n" "$(run "$D/plugins" "$D/lib.so")"
	done
	# changed with its size and modification time kept
	touch -r "$D/lib1.so" "$D/stamp"
	for n in 1 2 1; do
		cp "$D/lib$n.so" "$D/lib.so"
		touch -r "$D/stamp" "$D/lib.so"
		same "$g library $n, old time" "lib $n" "$(run "$D/plugins" "$D/lib.so")"
	done
	# libraries come and go, also one in place of another
	for again in 1 2 3; do
		same "$g plugins $again" "lib 1 lib 2 lib 3 lib 1 lib 3" \
		    "$(run "$D/plugins" "$D/lib1.so" "$D/lib2.so" "$D/lib3.so" "$D/lib1.so" "$D/lib3.so" | paste -sd' ')"
	done
	# what is made of a library is kept though it goes before the process ends
	few "$g plugins that went" 12 "$(stat "$new" "$D/plugins" "$D/lib1.so" "$D/lib2.so" "$D/lib3.so")"

	# libraries that the key of a cache file does not tell apart: twinXY answers X to one and Y to two
	fresh
	x=$D/twin11/lib.so y=$D/twin12/lib.so z=$D/twin21/lib.so
	for n in 11 12 21; do
		mkdir -p "$D/twin$n"
		$cc -O2 -shared -fPIC -Wl,--build-id=0x12345678 -DONE=${n%?} -DTWO=${n#?} -o "$D/twin$n/lib.so" "$here/cache/twin.c"
		touch -r "$D/stamp" "$D/twin$n/lib.so"
	done
	$cc -O2 -o "$D/twins" "$here/cache/twins.c" -ldl || no "$g: twins.c"
	twins() { same "$g twins $when: $*" "$1" "$(run "$D/twins" "${@:2}")"; }
	for when in "just written" "written before"; do
		for n in 1 2; do twins 1 "$x" one; twins 1 "$y" one; done      # one file for both
		few "$g twins" 5 "$(stat "$new" "$D/twins" "$y" one)"
		for n in 1 2 3; do twins 2 "$y" two; done                      # and what it does not know yet
		for n in 1 2 3; do twins 1 "$x" two; twins 2 "$y" two; twins 1 "$z" two; twins 2 "$z" one; done
		for n in 1 2; do
			twins 11221 "$x" one "$x" two "$y" two "$z" one "$x" one
			cp "$y" "$D/lib.so"
			touch -r "$D/stamp" "$D/lib.so"
			twins 12 "$D/lib.so" one "$D/lib.so" two
			cp "$z" "$D/lib.so"
			touch -r "$D/stamp" "$D/lib.so"
			twins 21 "$D/lib.so" one "$D/lib.so" two
		done
		for n in 1 2 3; do twins 2 "$z" one; done      # a new beginning
		few "$g twins, replaced" 8 "$(stat "$new" "$D/twins" "$z" one)"
		for n in 1 2 3; do twins 1 "$y" one; done
		few "$g twins, replaced again" 8 "$(stat "$new" "$D/twins" "$y" one)"
		same "$g twins have one key" 1 "$("$dragoman" --cache "$T/c" cache list | grep -c '/lib.so$')"
		sleep 3        # what has just changed is not remembered
	done

	# text that was found in the cache is written to, replaced and taken away, with threads in it
	fresh
	same "$g patched text, seen before" "" "$(run "$D/patch" only)"
	same "$g it is in the cache" 1 "$([ "$(stat "regions in them" "$D/patch" only)" -gt 50 ] &&
	    [ "$(stat "$new" "$D/patch" only)" -le 10 ] && echo 1)"
	for again in cold warm again; do same "$g patched text, $again" "done" "$(run "$D/patch")"; done
	# an image that has not all of it is let go, too
	fresh
	for n in 1 2; do DRAGOMAN_QUICK=1000000 run "$D/patch" only; done
	same "$g patched text, some of it not in the image" "done
0" "$(DRAGOMAN_QUICK=1000000 run "$D/patch"; echo $?)"

	# broken files: every eighth byte of a page in turn would take long; places all over
	fresh
	run "$D/hello" >/dev/null
	want=$(run "$D/hello")
	mkdir -p "$T/keep"
	rm -f "$T/keep"/*
	cp "$T/c"/*.dgm "$T/keep"
	for n in $(seq 1 12); do
		cp "$T/keep"/* "$T/c"
		for x in "$T/c"/*.dgm; do
			at=$(((RANDOM * 32768 + RANDOM) % $(stat_size "$x")))
			printf "\\x$(printf %x $((RANDOM % 256)))" | dd of="$x" bs=1 seek=$at conv=notrunc 2>/dev/null
		done
		same "$g flipped $n" "$want" "$(run "$D/hello")"
	done
	for n in 0 1 100 4096 20000; do
		cp "$T/keep"/* "$T/c"
		for x in "$T/c"/*.dgm; do truncate -s $n "$x"; done
		same "$g cut to $n" "$want" "$(run "$D/hello")"
	done
	# every file under every other's name
	set -- "$T/keep"/*.dgm
	for x in "$@"; do cp "$x" "$T/c/$(basename "$1")"; done
	same "$g exchanged" "$want" "$(run "$D/hello")"

	# cache files lie before the code area, without a gap
	printf '#include <unistd.h>\nint main(void) { char c; return (int)read(0, &c, 1); }\n' >"$D/waits.c"
	$cc -O2 -o "$D/waits" "$D/waits.c" && mkfifo "$D/in" || no "$g: waits.c"
	fresh
	for n in 1 2; do
		"$dragoman" --cache "$T/c" --code-size 8 -L "$sys" "$D/waits" <"$D/in" &
		exec 9>"$D/in"
		for ((i = 0; i < 50; i++)); do
			grep -q waits "/proc/$!/maps" && behind "/proc/$!/maps" >"$T/behind" && break
			sleep 0.1
		done
		exec 9>&-
		wait $!
	done
	same "$g: what is behind cache files" $((8 << 20)) "$(cat "$T/behind")"

	# directories that cannot be had
	fresh
	run "$D/hello" >/dev/null
	chmod a-w "$T/c" "$T/c"/*
	same "$g read-only" "$want" "$(run "$D/hello")"
	chmod u+w "$T/c"
	rm -rf "$T/c"
	same "$g missing" "$want" "$(run "$D/hello")"
	same "$g no directory" "$want" "$("$dragoman" --cache /dev/null -L "$sys" "$D/hello" 2>&1)"
	fresh
	same "$g no room" "$want" "$(ulimit -f 0; "$dragoman" --cache "$T/c" -L "$sys" "$D/hello" 2>&1 | cat)"
	same "$g nothing half written" "" "$(ours)"
	same "$g address space is limited" "$want" "$(ulimit -v 2000000; run "$D/hello")"

	# many at once, killed while they write
	fresh
	for n in $(seq 1 12); do
		timeout -s KILL 0.0$((n % 9 + 1)) "$dragoman" --cache "$T/c" -L "$sys" "$D/hello" >/dev/null 2>&1 &
	done
	wait
	for n in 1 2 3 4; do run "$D/hello" >"$T/out.$n" & done
	wait
	same "$g after kill -9" "$want $want $want $want" "$(cat "$T"/out.[1234] | paste -sd' ')"
	few "$g after kill -9" 10 "$(run "$D/hello" >/dev/null; stat "$new" "$D/hello")"
done
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
